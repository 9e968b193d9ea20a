import { createHash } from 'node:crypto';

/** Of the keys, as the head names it: a process takes no other one for its own. */
const LAYOUT = '2';

/**
 * What runs within the server, in one step each: nothing comes between, and a replica gets all of it or nothing. Lua by
 * EVALSHA, and EVAL where the server does not know it (yet, or any more): that works from Redis 6.2 on, whose XTRIM
 * has MINID, where functions would take 7.0.
 *
 * **How a lost end is told.** Replication is asynchronous: after a failover, a flush or a restored dump indexes are
 * given again, for other records. So the records are a chain: each one names the check value of the one before it, and
 * its own is a hash of that one, of the process that appended it and of its place. Two records of one index with one
 * check value are the same record, after the same records. A tail remembers the check value of the last record that it
 * told, and takes nothing that does not follow on it; while nothing comes it compares with the log's head every second.
 * What does not fit, or a head that is lower, gives the log another epoch (`settle`), once, whoever notices first: so
 * every other tail, and every client that comes back with the old epoch, to whichever process, is told too.
 *
 * Clients may outlive all processes that could notice. So each opening and reconnection also looks at which run of the
 * server this is: another one than the head names begins another epoch, unless it is known to have kept everything (the
 * same server again, with `appendfsync always`). That a server came back whole is not believed without.
 *
 * KEYS: 1 the stream, 2 the head, 3 ids of this window, 4 of the one before. ARGV: 1 a name that nobody else has (the
 * writer's). The head's fields: `layout`; `epoch`; `at`, which is the newest index, the bytes of all bodies up to it and
 * its check value; `first`, below which nothing counts; `ids` (when their window began); `server` (its run); and `w:`
 * with a writer's name (its last call: number, time, answer).
 *
 * An entry of the stream is a group of records that were appended in one call, at the index of its last one: an entry
 * for each record would cost the server more than all the rest. It has two fields: `m`, which is time, number of
 * records, bytes of all bodies up to its end, the check value before it and its own; and `b`, its frames (see
 * record-format.ts).
 */
const begin = `
local stream, head = KEYS[1], KEYS[2]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function text(n) return string.format('%d', n) end
local function newEpoch() return redis.sha1hex(ARGV[1] .. clock[1] .. '.' .. clock[2]) end
local log = redis.call('HMGET', head, 'layout', 'epoch', 'at', 'first', 'ids', 'w:' .. ARGV[1])
if not log[1] then
  -- the lengths are asked for their refusal of what is of another type
  if redis.call('XLEN', stream) + redis.call('EXISTS', stream, head) > 0 then
    return redis.error_reply('FENCELINE foreign')
  end
  if redis.call('HLEN', KEYS[3]) + redis.call('HLEN', KEYS[4]) > 0 then redis.call('DEL', KEYS[3], KEYS[4]) end
  log = {'${LAYOUT}', newEpoch(), '0 0 0', '1', '0'}
  redis.call('HSET', head, 'layout', log[1], 'epoch', log[2], 'at', log[3], 'first', log[4], 'ids', log[5])
elseif log[1] ~= '${LAYOUT}' then
  return redis.error_reply('FENCELINE layout ' .. log[1])
end
local epoch, floor = log[2], tonumber(log[4])
local top, sum, check = string.match(log[3] or '', '^(%d+) (%d+) (%x+)$')
if not top then return redis.error_reply('FENCELINE foreign') end
top, sum = tonumber(top), tonumber(sum)
local function indexOf(entry) return tonumber(string.match(entry[1], '^%d+')) end
-- time, number of records, bytes up to the end, check value before, own one; nothing for what is not ours
local function metaOf(entry)
  local fields = entry[2]
  if fields[1] ~= 'm' or fields[3] ~= 'b' or fields[5] then return nil end
  return string.match(fields[2], '^(%d+) (%d+) (%d+) (%x+) (%x+)$')
end
local function oldest()
  local found = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  if not found then return top + 1 end
  local _, count = metaOf(found)
  return math.min(math.max(indexOf(found) - (count or 1) + 1, floor), top + 1)
end
`;

/**
 * ARGV: 2 from, 3 to, 4 bytes of bodies, 5 records at most; the first group is answered whatever its size. Reads in
 * steps of 16 groups at most, so that little is taken out of the stream that does not fit in. Answers epoch, first,
 * head, check, groups.
 */
const read = `${begin}
local first, from, to = oldest(), tonumber(ARGV[2]), math.min(tonumber(ARGV[3]), top)
local most, limit, groups, bytes, records, step = tonumber(ARGV[4]), tonumber(ARGV[5]), {}, 0, 0, 1
local isOver, start = from < first or from > to, text(from) .. '-0'
while not isOver do
  local part = redis.call('XRANGE', stream, start, text(top) .. '-0', 'COUNT', step)
  isOver = #part < step
  for _, entry in ipairs(part) do
    local _, count = metaOf(entry)
    bytes, records = bytes + #(entry[2][4] or ''), records + (count or 1)
    if #groups > 0 and (bytes > most or records > limit) then isOver = true break end
    groups[#groups + 1] = entry
    start = '(' .. entry[1]
    if indexOf(entry) >= to then isOver = true break end
  end
  step = math.min(16, step * 2)
end
return {epoch, text(first), text(top), check, groups}`;

/**
 * ARGV: 2 the server's run, or empty; 3 whether this run may lack what another one had; 4 an epoch of which somebody
 * knows that it lost its end, or empty. Forgets writers of which nothing was heard for a day. Answers as `read` without
 * groups.
 */
const settle = `${begin}
local fields, server = redis.call('HGETALL', head), nil
for at = 1, #fields, 2 do
  local name, value = fields[at], fields[at + 1]
  if name == 'server' then server = value end
  local heard = string.sub(name, 1, 2) == 'w:' and string.match(value, '^%d+ (%d+)')
  if heard and now - heard > 86400000 then redis.call('HDEL', head, name) end
end
local isOther = ARGV[2] ~= '' and server ~= ARGV[2]
if epoch == ARGV[4] or (isOther and server and ARGV[3] == '1') then
  epoch = newEpoch()
  redis.call('HSET', head, 'epoch', epoch)
end
if isOther then redis.call('HSET', head, 'server', ARGV[2]) end
return {epoch, text(oldest()), text(top), check}`;

/**
 * Appends, mends and trims. ARGV: 2 the call's number, or empty for one that only mends and trims; 3 records, 4 age in
 * ms, 5 bytes to keep, each empty for all; 6 window of ids in ms; 7 how many groups are looked at for age and bytes; 8
 * how many records there are, 9 their frames. Then, if one of them has any, for each record two: id and expected head,
 * empty where it has none. Without them the frames are stored as they came: a record costs the server its bytes.
 *
 * Answers what became of the records: the index of the first where all were stored, else of each (`a` appended, `d` a
 * duplicate of, `c` a conflict with the head; and an index); and whether there is more to trim. A call that is sent
 * again (ioredis does so by itself) is known by its number and answered as before; one whose successor was answered
 * already does nothing.
 *
 * **What is not ours.** An entry that somebody else put behind the head is something that nobody can read in its place:
 * so it is told, as one gap, and indexes stay dense. One of ours there (a call that a lack of rights cut off) is kept.
 * It is looked for where XADD fails: a call without strays pays nothing for it. One that got between two groups
 * unnoticed takes no index, and is passed over.
 */
const append = `${begin}
local number, count, frames = ARGV[2], tonumber(ARGV[8]), ARGV[9]
if log[6] and number ~= '' then
  local last, answer = string.match(log[6], '^(%d+) %d+ (.*)$')
  if last == number then return {answer, 0} end
  if tonumber(last) > tonumber(number) then return redis.error_reply('FENCELINE late') end
end
if now - log[5] >= tonumber(ARGV[6]) or now - log[5] < 0 then
  if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('RENAME', KEYS[3], KEYS[4]) else redis.call('DEL', KEYS[4]) end
  redis.call('HSET', head, 'ids', text(now))
end
local time, newAt = text(now), nil
-- false where something else stands in the way
local function add(records, bytes, bodies)
  local last, total = text(top + records), text(sum + bytes)
  local own = string.sub(redis.sha1hex(check .. ' ' .. ARGV[1] .. ' ' .. number .. ' ' .. last), 1, 16)
  local meta = time .. ' ' .. records .. ' ' .. total .. ' ' .. check .. ' ' .. own
  local done = redis.pcall('XADD', stream, last .. '-0', 'm', meta, 'b', bodies)
  if done.err then
    if string.find(done.err, 'smaller', 1, true) then return false end
    return error(done.err)
  end
  top, sum, check, newAt = top + records, sum + bytes, own, last .. ' ' .. total .. ' ' .. own
  return true
end
local function mend()
  local strays = 0
  repeat
    local found = redis.call('XRANGE', stream, '(' .. text(top) .. '-0', '+', 'COUNT', 100)
    for _, entry in ipairs(found) do
      local _, records, total, before, own = metaOf(entry)
      if strays == 0 and before == check and entry[1] == text(top + records) .. '-0' then
        top, sum, check, newAt = top + records, tonumber(total), own, text(top + records) .. ' ' .. total .. ' ' .. own
      else
        strays = strays + 1
        redis.call('XDEL', stream, entry[1])
      end
    end
  until #found == 0
  -- the stream remembers what was deleted; newer servers want to be told that it does not count
  if redis.call('EXISTS', stream) == 1 then
    local set = redis.pcall('XSETID', stream, text(top) .. '-0')
    if set.err then
      redis.call('XSETID', stream, text(top) .. '-0', 'ENTRIESADDED', text(top), 'MAXDELETEDID', '0-1')
    end
  end
  for _ = 1, strays do add(1, 0, struct.pack('>BI4', 120, 0)) end
end
local answer, fresh = '', {}
-- one by one, those with ids and expected heads; false as above
local function choose()
  local ids, olds, news = {}, {}, {}
  for n = 1, count do ids[n] = ARGV[8 + 2 * n] end
  local answers, chosen, bytes, at, known = {}, {}, 0, 1, redis.call('HMGET', KEYS[3], unpack(ids))
  olds, fresh = redis.call('HMGET', KEYS[4], unpack(ids)), {}
  for n = 1, count do
    local length, id, expected = struct.unpack('>I4', frames, at + 1), ids[n], ARGV[9 + 2 * n]
    local place = known[n] or olds[n] or news[id]
    if place then answers[n] = 'd' .. place
    elseif expected ~= '' and tonumber(expected) ~= top + #chosen then answers[n] = 'c' .. text(top + #chosen)
    else
      chosen[#chosen + 1], bytes = string.sub(frames, at, at + 4 + length), bytes + length
      place = text(top + #chosen)
      answers[n] = 'a' .. place
      if id ~= '' then news[id], fresh[#fresh + 1], fresh[#fresh + 2] = place, id, place end
    end
    at = at + 5 + length
  end
  answer = table.concat(answers, ' ')
  return #chosen == 0 or add(#chosen, bytes, table.concat(chosen))
end
local function store()
  if #ARGV > 9 then return choose() end
  answer = text(top + 1)
  return add(count, #frames - 5 * count, frames)
end
if count == 0 then mend()
elseif not store() then
  mend()
  if not store() then return redis.error_reply('FENCELINE broken') end
end
newAt = newAt or log[3]
if number == '' then redis.call('HSET', head, 'at', newAt)
else redis.call('HSET', head, 'at', newAt, 'w:' .. ARGV[1], number .. ' ' .. time .. ' ' .. answer) end
if #fresh > 0 then redis.call('HSET', KEYS[3], unpack(fresh)) end
local least, left = floor, 0
if ARGV[3] ~= '' then least = math.max(least, top - tonumber(ARGV[3]) + 1) end
local age, most, looks = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[7])
local start = (age or most) and text(least) .. '-0'
while start do
  local entry = redis.call('XRANGE', stream, start, '+', 'COUNT', 1)[1]
  start = entry and '(' .. entry[1]
  local time, records, total = metaOf(entry or {'', {}})
  if time then
    local last, bodies, from = indexOf(entry), entry[2][4], 1
    local place, rest = last - records + 1, sum - total + #bodies - 5 * records
    if age and now - time > age then place = last + 1 end
    while most and rest > most and place <= last do
      local length = struct.unpack('>I4', bodies, from + 1)
      from, rest, place = from + 5 + length, rest - length, place + 1
    end
    if place <= last then start = nil
    elseif looks == 0 then start, left, place = nil, 1, least end
    least, looks = math.max(least, place), looks - 1
  end
end
if least > floor then
  redis.call('HSET', head, 'first', text(least))
  redis.call('XTRIM', stream, 'MINID', '=', text(least) .. '-0')
end
return {answer, left}`;

/** A text that the server runs, and the name by which it knows it. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

const scriptOf = (text: string): Script => ({ text, sha: createHash('sha1').update(text).digest('hex') });

export const scripts = { read: scriptOf(read), settle: scriptOf(settle), append: scriptOf(append) } as const;
