import { createHash } from 'node:crypto';

/** Of the keys, as the head names it: a process takes no other one for its own. */
const LAYOUT = '2';

/**
 * What runs within the server, in one step each: nothing comes between, and a replica gets all of it or nothing. Lua by
 * EVALSHA, and EVAL where the server does not know it (yet, or any more): that works from Redis 6.2 on, whose XTRIM
 * has MINID, where functions would take 7.0.
 *
 * **How a lost end is told.** Replication is asynchronous: after a failover, a flush or a restored dump indexes are
 * given again, for other records. So the groups are a chain: each one names the check value of the one before it, and
 * its own is a hash of that one, of the process that appended it and of its place. Two groups of one index with one
 * check value are the same group, after the same groups. A tail remembers the check value of the last group that it
 * told, and takes nothing that does not follow on it; while nothing comes it compares with the log's head every second.
 * What does not fit, or a head that is lower, gives the log another epoch (`settle`), once, whoever notices first: so
 * every other tail, and every client that comes back with the old epoch, to whichever process, is told too.
 *
 * Clients may outlive all processes that could notice. So each opening and reconnection also looks at which run of the
 * server this is: another one than the head names begins another epoch, unless it is known to have kept everything (the
 * same server again, with `appendfsync always`). That a server came back whole is not believed without.
 *
 * KEYS: 1 the stream, 2 the head, 3 ids of this window, 4 of the one before. ARGV: 1 a name that nobody else has (the
 * writer's). The head's fields: `layout`; `epoch`; `at`, which is the newest index, the bytes of all bodies up to it,
 * its check value, the index below which nothing counts, and when the window of ids began; `server` (its run); and `w:`
 * with a writer's name (its last call: number, time, answer).
 *
 * An entry of the stream is a group of records that were appended in one call, at the index of its last one: so
 * what the server does for an entry is shared by all of them. It has two fields: `m`, which is time, number of
 * records, bytes of all bodies up to its end, the check value before it and its own; and `b`, its frames (see
 * record-format.ts).
 */
const begin = `
local stream, head = KEYS[1], KEYS[2]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function text(n) return string.format('%d', n) end
local function newEpoch() return redis.sha1hex(ARGV[1] .. clock[1] .. '.' .. clock[2]) end
local log = redis.call('HMGET', head, 'layout', 'at', 'w:' .. ARGV[1])
if log[1] ~= '${LAYOUT}' then
  if log[1] then return redis.error_reply('FENCELINE layout ' .. log[1]) end
  -- the lengths are asked for their refusal of what is of another type
  if redis.call('XLEN', stream) + redis.call('EXISTS', stream, head) > 0 then
    return redis.error_reply('FENCELINE foreign')
  end
  if redis.call('HLEN', KEYS[3]) + redis.call('HLEN', KEYS[4]) > 0 then redis.call('DEL', KEYS[3], KEYS[4]) end
  log[2] = '0 0 0 1 0'
  redis.call('HSET', head, 'layout', '${LAYOUT}', 'epoch', newEpoch(), 'at', log[2])
end
local top, sum, check, floor, window = string.match(log[2] or '', '^(%d+) (%d+) (%x+) (%d+) (%d+)$')
if not top then return redis.error_reply('FENCELINE foreign') end
top, sum = tonumber(top), tonumber(sum)
`;

/** How an entry is looked at. */
const look = `
local function indexOf(entry) return tonumber(string.match(entry[1], '^%d+')) end
-- time, number of records, bytes up to the end, check value before, own one; nothing for what is not ours
local function metaOf(entry)
  local fields = entry[2]
  if fields[1] ~= 'm' or fields[3] ~= 'b' or fields[5] then return nil end
  return string.match(fields[2], '^(%d+) (%d+) (%d+) (%x+) (%x+)$')
end
`;

/** The log's state, as questions about it are answered. */
const tell = `
local function oldest()
  local start = floor .. '-0'
  while true do
    local found = redis.call('XRANGE', stream, start, '+', 'COUNT', 1)[1]
    if not found or indexOf(found) > top then return top + 1 end
    local _, count = metaOf(found)
    if count then return math.max(indexOf(found) - count + 1, tonumber(floor)) end
    start = '(' .. found[1]
  end
end
local epoch, first = redis.call('HGET', head, 'epoch'), oldest()
local function answer(groups) return {epoch, text(first), text(top), check, groups} end
`;

/**
 * ARGV: 2 from, 3 to, 4 bytes of bodies, 5 records at most; the first group is answered whatever its size. Reads in
 * steps, of 16 groups at most, so that little is taken out of the stream that does not fit in. Answers epoch, first,
 * head, check, groups.
 */
const read = `${begin}${look}${tell}
local from, to = tonumber(ARGV[2]), math.min(tonumber(ARGV[3]), top)
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
  -- as many as the bytes that are left will hold, if they are like those that were read
  step = math.max(1, math.min(16, step * 2, math.ceil((most - bytes) * #groups / math.max(bytes, 1))))
end
return answer(groups)`;

/**
 * ARGV: 2 the server's run, or empty; 3 whether this run may lack what another one had; 4 an epoch of which somebody
 * knows that it lost its end, or empty. Forgets writers of which nothing was heard for a day. Answers as `read` without
 * groups.
 */
const settle = `${begin}${look}${tell}
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
return answer({})`;

/**
 * What is not ours. An entry that somebody else put behind the head is something that nobody can read in its place: so
 * it is told, as one gap, and indexes stay dense. One of ours there (a call that a lack of rights cut off) is kept. It
 * is looked for where XADD fails: a call without strays pays nothing for it. One that got between two groups unnoticed
 * takes no index, and is passed over.
 */
const mend = `
local function mend()
  local strays = 0
  repeat
    local found = redis.call('XRANGE', stream, '(' .. text(top) .. '-0', '+', 'COUNT', 100)
    for _, entry in ipairs(found) do
      local _, records, total, before, own = metaOf(entry)
      if strays == 0 and before == check and entry[1] == text(top + records) .. '-0' then
        top, sum, check = top + records, tonumber(total), own
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
`;

/** Chooses what is stored of records with ids and expected heads; false where something stands in the way. */
const choose = `
-- the frames of those that are stored, and the bytes of their bodies
local function framesOf(answers)
  local chosen, bytes, from = {}, 0, 1
  for n = 1, count do
    local length = struct.unpack('>I4', frames, from + 1)
    if string.sub(answers[n], 1, 1) == 'a' then
      chosen[#chosen + 1], bytes = string.sub(frames, from, from + 4 + length), bytes + length
    end
    from = from + 5 + length
  end
  return table.concat(chosen), bytes
end
local function choose()
  local ids, news, answers, place = {}, {}, {}, top
  for n = 1, count do ids[n] = ARGV[5 + 2 * n] end
  local known, olds = redis.call('HMGET', KEYS[3], unpack(ids)), redis.call('HMGET', KEYS[4], unpack(ids))
  fresh = {}
  for n = 1, count do
    local id, expected = ids[n], ARGV[6 + 2 * n]
    local index = known[n] or olds[n] or news[id]
    if index then answers[n] = 'd' .. index
    elseif expected ~= '' and tonumber(expected) ~= place then answers[n] = 'c' .. text(place)
    else
      place = place + 1
      index = text(place)
      answers[n] = 'a' .. index
      if id ~= '' then news[id], fresh[#fresh + 1], fresh[#fresh + 2] = index, id, index end
    end
  end
  answer = table.concat(answers, ' ')
  if place == top then return true end
  if place == top + count then return add(count, #frames - 5 * count, frames) end
  local chosen, bytes = framesOf(answers)
  return add(place - top, bytes, chosen)
end
`;

/**
 * Trims by what is to be kept: records, age in ms, bytes. For age and bytes each group is taken out of the stream: so
 * many at most, of which one of more than 64 KiB counts as several, for the server answers nobody meanwhile.
 */
const trim = `
local function trim(records, age, most, looks)
  local least, left = tonumber(floor), '0'
  if records then least = math.max(least, top - records + 1) end
  local start = (age or most) and text(least) .. '-0'
  while start do
    local entry = redis.call('XRANGE', stream, start, '+', 'COUNT', 1)[1]
    start = entry and '(' .. entry[1]
    local stored, count, total = metaOf(entry or {'', {}})
    if stored then
      local last, bodies, from = indexOf(entry), entry[2][4], 1
      local place, rest = last - count + 1, sum - total + #bodies - 5 * count
      if age and now - stored > age then place = last + 1 end
      while most and rest > most and place <= last and from + 4 <= #bodies do
        local length = struct.unpack('>I4', bodies, from + 1)
        from, rest, place = from + 5 + length, rest - length, place + 1
      end
      if place <= last then start = nil
      elseif looks <= 0 then start, left, place = nil, '1', least end
      least, looks = math.max(least, place), looks - 1 - math.floor(#bodies / 65536)
    end
  end
  if least > tonumber(floor) then
    floor = text(least)
    redis.call('XTRIM', stream, 'MINID', '=', floor .. '-0')
  end
  return left
end
`;

/**
 * Appends, mends and trims. ARGV: 2 the call's number, or empty for one that only mends and trims; 3 window of ids in
 * ms; 4 how many records there are, 5 their frames; 6 what is kept (records, age in ms, bytes; `-` for all), or empty
 * for everything. Then, if one of the records has any, for each of them two: id and expected head, empty where it has
 * none.
 *
 * Answers what became of the records: the index of the first where all were stored, else of each (`a` appended, `d` a
 * duplicate of, `c` a conflict with the head; and an index). A call that only trims: `1` if there is more to trim. One
 * that is sent again (ioredis does so by itself) is known by its number and answered as before; one whose successor was
 * answered already does nothing.
 *
 * Most calls have no ids and no retention. They end half-way, before the functions that only others need are even made,
 * and a record costs them its bytes and nothing else.
 */
const append = `${begin}
local number, count, frames, isPlain = ARGV[2], tonumber(ARGV[4]), ARGV[5], #ARGV == 6
if log[3] and number ~= '' then
  local last, before = string.match(log[3], '^(%d+) %d+ (.*)$')
  if last == number then return before end
  if tonumber(last) > tonumber(number) then return redis.error_reply('FENCELINE late') end
end
local time = text(now)
local function at() return text(top) .. ' ' .. text(sum) .. ' ' .. check .. ' ' .. floor .. ' ' .. window end
if now - window >= tonumber(ARGV[3]) or now - window < 0 then
  window = time
  -- first, since it fails where there is no memory: else the ids would be moved with each attempt, and lost
  redis.call('HSET', head, 'at', at())
  if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('RENAME', KEYS[3], KEYS[4]) else redis.call('DEL', KEYS[4]) end
end
-- false where something else stands in the way
local function add(records, bytes, bodies)
  local last = text(top + records)
  local own = string.sub(redis.sha1hex(check .. ' ' .. ARGV[1] .. ' ' .. number .. ' ' .. last), 1, 16)
  local meta = time .. ' ' .. records .. ' ' .. text(sum + bytes) .. ' ' .. check .. ' ' .. own
  local done = redis.pcall('XADD', stream, last .. '-0', 'm', meta, 'b', bodies)
  if done.err then
    if string.find(done.err, 'smaller', 1, true) or string.find(done.err, 'exhausted', 1, true) then return false end
    return error(done.err)
  end
  top, sum, check = top + records, sum + bytes, own
  return true
end
local function save(answer)
  if number == '' then redis.call('HSET', head, 'at', at())
  else redis.call('HSET', head, 'at', at(), 'w:' .. ARGV[1], number .. ' ' .. time .. ' ' .. answer) end
  return answer
end
local isStored = count > 0 and isPlain and add(count, #frames - 5 * count, frames)
local answer = text(top - count + 1)
if isStored and ARGV[6] == '' then return save(answer) end
${look}
if not isStored then
  local fresh = {}
  ${mend}
  ${choose}
  local function store()
    if not isPlain then return choose() end
    answer = text(top + 1)
    return add(count, #frames - 5 * count, frames)
  end
  if count == 0 then mend()
  elseif isPlain or not store() then
    mend()
    if not store() then return redis.error_reply('FENCELINE broken') end
  end
  if #fresh > 0 then redis.call('HSET', KEYS[3], unpack(fresh)) end
end
if ARGV[6] == '' then return save(answer) end
${trim}
local records, age, most = string.match(ARGV[6], '^(%S+) (%S+) (%S+)$')
local left = trim(tonumber(records), tonumber(age), tonumber(most), number == '' and 128 or 16)
if number == '' then answer = left end
return save(answer)`;

/** A text that the server runs, and the name by which it knows it. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

const scriptOf = (text: string): Script => ({ text, sha: createHash('sha1').update(text).digest('hex') });

export const scripts = { read: scriptOf(read), settle: scriptOf(settle), append: scriptOf(append) } as const;
