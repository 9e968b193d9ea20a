import { createHash } from 'node:crypto';

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
 * writer's). The head's fields: `layout`, `epoch`, `head` (newest index), `sum` (bytes of all bodies up to it),
 * `check`, `ids` (when their window began), `server` (its run), and `w:` with a writer's name (its last call: number,
 * time, answer). A record: `m`, which is kind, time, sum, the check value before it and its own; and `b`, the body.
 */
const begin = `
local stream, head = KEYS[1], KEYS[2]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function text(n) return string.format('%.0f', n) end
local function newEpoch() return redis.sha1hex(ARGV[1] .. clock[1] .. '.' .. clock[2]) end
local log = redis.call('HMGET', head, 'layout', 'epoch', 'head', 'sum', 'check', 'ids', 'w:' .. ARGV[1])
if not log[1] then
  -- XLEN is asked for its refusal of what is no stream
  if redis.call('EXISTS', stream) == 1 and redis.call('XLEN', stream) then
    return redis.error_reply('FENCELINE foreign')
  end
  log = {'1', newEpoch(), '0', '0', '0', '0'}
  redis.call('HSET', head, 'layout', '1', 'epoch', log[2], 'head', '0', 'sum', '0', 'check', '0', 'ids', '0')
  redis.call('DEL', KEYS[3], KEYS[4])
elseif log[1] ~= '1' then
  return redis.error_reply('FENCELINE layout ' .. log[1])
end
local epoch, top, sum, check = log[2], tonumber(log[3]), tonumber(log[4]), log[5]
local function indexOf(entry) return tonumber(string.match(entry[1], '^%d+')) end
local function oldest()
  local found = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  return found and math.min(indexOf(found), top + 1) or top + 1
end
`;

/**
 * ARGV: 2 from, 3 to, 4 bytes of bodies, 5 records at most. Reads in steps of 16 records at most, so that little is
 * taken out of the stream that does not fit in. Answers epoch, first, head, check, records.
 */
const read = `${begin}
local first, from, to = oldest(), tonumber(ARGV[2]), math.min(tonumber(ARGV[3]), top)
local most, limit, records, bytes, step = tonumber(ARGV[4]), tonumber(ARGV[5]), {}, 0, 1
local isOver = from < first
while not isOver and from <= to do
  local part = redis.call('XRANGE', stream, text(from) .. '-0', text(to) .. '-0', 'COUNT', step)
  isOver = #part < step
  for _, entry in ipairs(part) do
    bytes = bytes + #(entry[2][4] or '')
    if #records >= limit or (#records > 0 and bytes > most) then isOver = true break end
    records[#records + 1] = entry
    from = indexOf(entry) + 1
  end
  step = math.min(16, step * 2)
end
return {epoch, text(first), text(top), check, records}`;

/**
 * ARGV: 2 the server's run, or empty; 3 whether this run may lack what another one had; 4 an epoch of which somebody
 * knows that it lost its end, or empty. Forgets writers of which nothing was heard for a day. Answers as `read` without
 * records.
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
 * ms, 5 bytes to keep, each empty for all; 6 window of ids in ms; 7 how many records are looked at for age and bytes;
 * then for each append four: kind, id or empty, expected head or empty, body.
 *
 * Answers what became of each append (`a` appended, `d` a duplicate of, `c` a conflict with the head; and an index),
 * and whether there is more to trim. A call that is sent again (ioredis does so by itself) is known by its number and
 * answered as before; one whose successor was answered already does nothing.
 *
 * What somebody else put behind the head gets an index of its own, with a record that nobody can read in its place: so
 * it is told, as one gap, and indexes stay dense. One of ours there (a call that a lack of rights cut off) is kept. It
 * is looked for where XADD fails, which only the first of a call can: so a call without strays pays nothing for it.
 *
 * The check value is a hash for each call and a number within it: a hash for each record would cost a fifth of it.
 */
const append = `${begin}
if ARGV[2] ~= '' and log[7] then
  local number, answer = string.match(log[7], '^(%d+) %d+ (.*)$')
  if number == ARGV[2] then return {answer, 0} end
  if tonumber(number) > tonumber(ARGV[2]) then return redis.error_reply('FENCELINE late') end
end
if now - log[6] >= tonumber(ARGV[6]) or now - log[6] < 0 then
  if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('RENAME', KEYS[3], KEYS[4]) else redis.call('DEL', KEYS[4]) end
  redis.call('HSET', head, 'ids', text(now))
end
local time, added, mark = ' ' .. text(now) .. ' ', 0, nil
local function begin()
  mark = string.sub(redis.sha1hex(check .. ' ' .. ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. text(top)), 1, 16) .. '.'
end
-- the place, or nil where something else stands there
local format, pcall = string.format, redis.pcall
local function add(kind, body)
  local total, own = sum + #body, mark .. added
  local place = format('%.0f', top + 1)
  local meta = kind .. time .. format('%.0f', total) .. ' ' .. check .. ' ' .. own
  local done = pcall('XADD', stream, place .. '-0', 'm', meta, 'b', body)
  if done.err then
    if added > 0 or not string.find(done.err, 'smaller', 1, true) then return error(done.err) end
    return nil
  end
  top, sum, check, added = top + 1, total, own, added + 1
  return place
end
local function metaOf(entry)
  return string.match(entry[2][2] or '', '^[aex] (%d+) (%d+) ([%x.]+) ([%x.]+)$')
end
local function mend()
  local strays = 0
  repeat
    local found = redis.call('XRANGE', stream, '(' .. text(top) .. '-0', '+', 'COUNT', 100)
    for _, entry in ipairs(found) do
      local _, total, before, own = metaOf(entry)
      if strays == 0 and before == check and entry[1] == text(top + 1) .. '-0' then
        top, sum, check = top + 1, tonumber(total), own
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
  begin()
  for _ = 1, strays do add('x', '') end
end
begin()
local answers, isMended, at = {}, #ARGV == 7, 8
if isMended then mend() end
while at <= #ARGV do
  local id, expected, answer = ARGV[at + 1], ARGV[at + 2], nil
  local known = id ~= '' and (redis.call('HGET', KEYS[3], id) or redis.call('HGET', KEYS[4], id))
  if known then answer = 'd' .. known
  elseif expected ~= '' and tonumber(expected) ~= top then answer = 'c' .. text(top)
  else
    local place = add(ARGV[at], ARGV[at + 3])
    if place then
      answer = 'a' .. place
      if id ~= '' then redis.call('HSET', KEYS[3], id, place) end
    elseif isMended then return redis.error_reply('FENCELINE broken')
    else
      mend()
      isMended = true
    end
  end
  if answer then
    answers[#answers + 1] = answer
    at = at + 4
  end
end
local answer = table.concat(answers, ' ')
local call = {'head', text(top), 'sum', text(sum), 'check', check}
if ARGV[2] ~= '' then call[7], call[8] = 'w:' .. ARGV[1], ARGV[2] .. time .. answer end
redis.call('HSET', head, unpack(call))
local least, left, isDue = 1, 0, ARGV[4] ~= '' or ARGV[5] ~= ''
if ARGV[3] ~= '' then least = top - tonumber(ARGV[3]) + 1 end
local looks = tonumber(ARGV[7])
while isDue do
  local entry = redis.call('XRANGE', stream, text(math.max(least, 0)) .. '-0', '+', 'COUNT', 1)[1]
  local stored, total = metaOf(entry or {'', {}})
  isDue = entry and (not stored or (ARGV[4] ~= '' and now - stored > tonumber(ARGV[4]))
    or (ARGV[5] ~= '' and sum - total + #entry[2][4] > tonumber(ARGV[5])))
  if isDue and looks == 0 then isDue, left = false, 1 end
  if isDue then least, looks = indexOf(entry) + 1, looks - 1 end
end
if least > 1 then redis.call('XTRIM', stream, 'MINID', '=', text(least) .. '-0') end
return {answer, left}`;

/** A text that the server runs, and the name by which it knows it. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

const scriptOf = (text: string): Script => ({ text, sha: createHash('sha1').update(text).digest('hex') });

export const scripts = { read: scriptOf(read), settle: scriptOf(settle), append: scriptOf(append) } as const;
