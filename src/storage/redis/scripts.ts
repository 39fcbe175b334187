/**
 * What must happen in one step happens in one of these: Redis runs a script alone, from beginning
 * to end. KEYS of one call are in one slot, or the server is no cluster.
 *
 * Records begin with two stamps of 16 digits (`lifetime.ts`): until when they count, and the
 * use (artifacts, dashes: none) or version (journeys). Numbers are compared here and written as they
 * came, because Lua's own way to write them loses digits.
 */
import { MARGIN, NO_STAMP } from './lifetime.ts';

const PRELUDE = `
local NONE = '${NO_STAMP}'
-- The stamps of a record that counts; nil when there is none.
local function live(key, now)
  local head = redis.call('GETRANGE', key, 0, 31)
  if head == '' or tonumber(string.sub(head, 1, 16)) <= tonumber(now) then return nil end
  return string.sub(head, 17, 32)
end
-- What is in an index stays as long as anything in it may count.
local function lengthen(key, ttl)
  if redis.call('TTL', key) < tonumber(ttl) then redis.call('EXPIRE', key, ttl) end
end
-- Later expiries only: the entry must outlive the record, whoever wrote it last.
local function link(index, member, expires, now, ttl)
  redis.call('ZADD', index, 'GT', expires, member)
  redis.call('ZREMRANGEBYSCORE', index, '-inf', tonumber(now) - ${MARGIN})
  lengthen(index, ttl)
end
-- grant, uid, code and account of an artifact, and where its payload begins
local function membersOf(value)
  local stop = string.find(value, '\\n', 33, true)
  return cjson.decode(string.sub(value, 33, stop - 1)), stop
end
`;

/** KEYS: artifact, its indexes. ARGV: now, until, used, members and payload, ttl, member in the indexes. */
const keep = (whenThere: string): string => `
local used = ARGV[3]
local there = live(KEYS[1], ARGV[1])
if there then
  ${whenThere}
end
for i = 2, #KEYS do link(KEYS[i], ARGV[6], ARGV[2], ARGV[1], ARGV[5]) end
redis.call('SET', KEYS[1], ARGV[2] .. used .. ARGV[4], 'EX', ARGV[5])
return 1`;

const BODIES = {
  /** Insert or overwrite; a use stays. */
  save: keep('if there ~= NONE then used = there end'),

  /** Only if there is none. @returns 1 or 0 */
  insert: keep('return 0'),

  /** Where the artifact is in another slot than its index: before it. KEYS: index. ARGV: member, until, now, ttl */
  link: 'link(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4])',

  /** KEYS: artifact. ARGV: now, at. @returns 1 for the one who used it */
  consume: `
if live(KEYS[1], ARGV[1]) ~= NONE then return 0 end
redis.call('SETRANGE', KEYS[1], 16, ARGV[2])
return 1`,

  /** KEYS: index. ARGV: what keys of artifacts begin with, how many. @returns member, record, member, record … */
  lookup: `
local found = {}
for _, member in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, tonumber(ARGV[2]) - 1)) do
  found[#found + 1] = member
  found[#found + 1] = redis.call('GET', ARGV[1] .. member)
end
return found`,

  /** Removes it if it is (still) of that grant. KEYS: artifact. ARGV: grant */
  removeOfGrant: `
local value = redis.call('GET', KEYS[1])
if value and membersOf(value)[1] == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`,

  /** Marks it as used and empties it if it is (still) that account's. KEYS: artifact. ARGV: account, excepted uid, at, until, ttl */
  endOfAccount: `
local value = redis.call('GET', KEYS[1])
if not value then return 0 end
local members, stop = membersOf(value)
if members[4] ~= ARGV[1] or (ARGV[2] ~= '' and members[2] == ARGV[2]) then return 0 end
local used = string.sub(value, 17, 32)
if used == NONE then used = ARGV[3] end
redis.call('SET', KEYS[1], ARGV[4] .. used .. string.sub(value, 33, stop) .. '{}', 'EX', ARGV[5])
return 1`,

  /** KEYS: journey. ARGV: now, until, expected version, next version, state, ttl. @returns 1 or 0 */
  saveJourney: `
local version = live(KEYS[1], ARGV[1])
if tonumber(ARGV[3]) == 0 then
  if version then return 0 end
elseif version ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[2] .. ARGV[4] .. ARGV[5], 'EX', ARGV[6])
return 1`,

  /** KEYS: counters. ARGV: now, then window and ttl of each. @returns count, end, count, end … */
  increment: `
local now, readings = tonumber(ARGV[1]), {}
for i, key in ipairs(KEYS) do
  local value = redis.call('GET', key)
  local count, resets = 1, now + tonumber(ARGV[2 * i])
  local goesOn = value and tonumber(string.sub(value, 1, 16)) > now
  if goesOn then count, resets = tonumber(string.sub(value, 17)) + 1, tonumber(string.sub(value, 1, 16)) end
  local next = string.format('%016.0f%.0f', resets, count)
  if goesOn then redis.call('SET', key, next, 'KEEPTTL') else redis.call('SET', key, next, 'EX', ARGV[2 * i + 1]) end
  readings[2 * i - 1], readings[2 * i] = count, resets
end
return readings`,

  /** KEYS: counters. ARGV: now */
  decrement: `
for _, key in ipairs(KEYS) do
  local value = redis.call('GET', key)
  if value and tonumber(string.sub(value, 1, 16)) > tonumber(ARGV[1]) then
    local count = math.max(tonumber(string.sub(value, 17)) - 1, 0)
    redis.call('SET', key, string.sub(value, 1, 16) .. string.format('%.0f', count), 'KEEPTTL')
  end
end`,

  /**
   * A lock is a field of its family: tries, end of the lock, end of the memory.
   * KEYS: locks of the family, index of the bucket. ARGV: key, family, now, tries, first, longest, memory, longest ttl.
   * @returns tries (0: locked) and the end of the lock (0: none)
   */
  takeTry: `
local now, tries = tonumber(ARGV[3]), tonumber(ARGV[4])
local count, locked = 0, 0
local value = redis.call('HGET', KEYS[1], ARGV[1])
if value then
  local taken, lock, memory = string.match(value, '^(%d+) (%d+) (%d+)$')
  if tonumber(lock) > now then return {0, tonumber(lock)} end
  if tonumber(memory) > now then count = tonumber(taken) end
end
count = count + 1
if count % tries == 0 then
  locked = now + math.min(tonumber(ARGV[6]), tonumber(ARGV[5]) * 2 ^ math.min(count / tries - 1, 30))
end
local expires = math.max(now, locked) + tonumber(ARGV[7])
local ttl = string.format('%.0f', math.min(expires - now + ${MARGIN}, tonumber(ARGV[8])))
-- A family is a person and the devices known of them. What is forgotten of it must not pile up.
if redis.call('HLEN', KEYS[1]) > 16 then
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    if tonumber(string.match(all[i + 1], '%d+$')) <= now then redis.call('HDEL', KEYS[1], all[i]) end
  end
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %.0f %.0f', count, locked, expires))
lengthen(KEYS[1], ttl)
link(KEYS[2], ARGV[2], string.format('%.0f', expires), ARGV[3], ttl)
return {count, locked}`,

  /** KEYS: locks of the family. ARGV: key, tries, lift (1 or 0), now */
  giveBack: `
local value = redis.call('HGET', KEYS[1], ARGV[1])
if not value then return end
local count, lock, memory = string.match(value, '^(%d+) (%d+) (%d+)$')
local left = math.max(tonumber(count) - tonumber(ARGV[2]), 0)
if ARGV[3] == '1' then lock = '0' end
-- Nothing left to remember: most people's first try is right, and this frees its memory.
if left == 0 and tonumber(lock) <= tonumber(ARGV[4]) then return redis.call('HDEL', KEYS[1], ARGV[1]) end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', left) .. ' ' .. lock .. ' ' .. memory)`,

  /** KEYS: locks of the family. ARGV: key, now. @returns 1 if that key or one below it was locked */
  clearLocks: `
local all, wasLocked = redis.call('HGETALL', KEYS[1]), 0
local below = ARGV[1] .. ':'
for i = 1, #all, 2 do
  if all[i] == ARGV[1] or string.sub(all[i], 1, #below) == below then
    if tonumber(string.match(all[i + 1], '^%d+ (%d+)')) > tonumber(ARGV[2]) then wasLocked = 1 end
    redis.call('HDEL', KEYS[1], all[i])
  end
end
return wasLocked`,

  /** As it was elsewhere. KEYS: locks of the family, index of the bucket. ARGV: key, family, now, lock, expires, ttl */
  putLock: `
redis.call('HSET', KEYS[1], ARGV[1], ARGV[4])
lengthen(KEYS[1], ARGV[6])
link(KEYS[2], ARGV[2], ARGV[5], ARGV[3], ARGV[6])`,
} as const;

export type ScriptName = keyof typeof BODIES;

/** With what they share; sent once a connection, known by their hash from then on. */
export const SCRIPTS = Object.fromEntries(
  Object.entries(BODIES).map(([name, body]) => [name, `${PRELUDE}${body}`]),
) as Readonly<Record<ScriptName, string>>;
