import { script } from '../storage/redis.ts';

// Fields of an artifact that is used once: p payload, e expiry, g grant hash, i client id, c consumed at, r renewed at,
// s successor hash, x contended, k who holds it while redeeming, u until when, f the holder to punish.
// A grant is a string; an ended one is `x`. Its index is a sorted set of the keys that go with it, by expiry.

const putting = `
local function put(key, at)
  local kind, value, expires, ttl, grant, client = unpack(ARGV, at, at + 5)
  if kind == 's' then
    redis.call('SET', key, value, 'PX', ttl)
  else
    redis.call('HSET', key, 'p', value, 'e', expires, 'g', grant, 'i', client)
    redis.call('PEXPIRE', key, ttl)
  end
end
local function index(ix, member, expires, ttl, now)
  redis.call('ZREMRANGEBYSCORE', ix, '-inf', now)
  redis.call('ZADD', ix, expires, member)
  if redis.call('PTTL', ix) < tonumber(ttl) then redis.call('PEXPIRE', ix, ttl) end
end
local function ended(grant) return redis.call('GETRANGE', grant, 0, 0) == 'x' end`;

const revoking = `
local function revoke(ix)
  local foreign, tag = {}, string.match(ix, '{.-}')
  for _, key in ipairs(redis.call('ZRANGE', ix, 0, -1)) do
    if string.find(key, tag, 1, true) then redis.call('UNLINK', key) else foreign[#foreign + 1] = key end
  end
  redis.call('UNLINK', ix)
  return foreign
end`;

/** KEYS artifact · ARGV the six of `put` */
export const putScript = script(`${putting}
put(KEYS[1], 1)`);

/** KEYS artifact, grant, index · ARGV the six of `put`, now. Nothing is stored for a grant that was ended. */
export const putGrantedScript = script(`${putting}
if ended(KEYS[2]) then return 0 end
put(KEYS[1], 1)
index(KEYS[3], KEYS[1], ARGV[3], ARGV[4], ARGV[7])
return 1`);

/** KEYS grant, index · ARGV member in another slot, its expiry, its ttl, now */
export const indexScript = script(`${putting}
if ended(KEYS[1]) then return 0 end
index(KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
return 1`);

/** KEYS grant · ARGV value, ttl */
export const putGrantScript = script(`
if redis.call('GETRANGE', KEYS[1], 0, 0) == 'x' then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`);

/** KEYS index · returns the members of other slots, which are left to the caller */
export const revokeScript = script(`${revoking}
return revoke(KEYS[1])`);

/** KEYS index, grant · as above, and the grant ends */
export const endGrantScript = script(`${revoking}
redis.call('SET', KEYS[2], 'x', 'XX', 'KEEPTTL')
return revoke(KEYS[1])`);

/**
 * KEYS artifact · ARGV claim, now, until (empty: used for good) · returns how it went, expiry, grant hash, client id.
 * Who comes second leaves a mark that there were two.
 */
export const claimScript = script(`
local r = redis.call('HMGET', KEYS[1], 'e', 'g', 'i', 'c', 'k', 'u')
local now = tonumber(ARGV[2])
if not r[1] or tonumber(r[1]) <= now then return {'gone'} end
if r[4] or (r[5] and r[5] ~= ARGV[1] and tonumber(r[6]) > now) then
  redis.call('HSET', KEYS[1], 'x', '1')
  return {r[4] and 'used' or 'held', r[1], r[2], r[3]}
end
if ARGV[3] == '' then
  redis.call('HSET', KEYS[1], 'c', ARGV[2])
else
  redis.call('HDEL', KEYS[1], 'x', 'f')
  redis.call('HSET', KEYS[1], 'k', ARGV[1], 'u', ARGV[3])
end
return {'ok', r[1], r[2], r[3]}`);

/** KEYS used token, successor · ARGV claim, now, until, earliest use, successor hash · claims both for a retry, or 0 */
export const claimRetryScript = script(`
local now = tonumber(ARGV[2])
local function held(k, u) return k and k ~= ARGV[1] and tonumber(u) > now end
local r = redis.call('HMGET', KEYS[1], 'c', 's', 'x', 'k', 'u')
local n = redis.call('HMGET', KEYS[2], 'e', 'c', 'k', 'u')
local unchanged = r[1] and tonumber(r[1]) >= tonumber(ARGV[4]) and r[2] == ARGV[5] and not r[3]
if not unchanged or not n[1] or n[2] or held(r[4], r[5]) or held(n[3], n[4]) then
  if r[1] then redis.call('HSET', KEYS[1], 'x', '1') end
  return 0
end
redis.call('HSET', KEYS[1], 'k', ARGV[1], 'u', ARGV[3])
redis.call('HSET', KEYS[2], 'k', ARGV[1], 'u', ARGV[3])
return 1`);

/** KEYS artifact · remembers that two presenters were seen at once */
export const contendScript = script(`
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'x', '1') end`);

/** KEYS artifact · ARGV claim · gives the artifact back unused */
export const releaseScript = script(`
if redis.call('HGET', KEYS[1], 'k') == ARGV[1] then redis.call('HDEL', KEYS[1], 'k', 'u') end`);

/** KEYS artifact · ARGV now · marks its present holder for punishment; says whether it is `used` already */
export const accuseScript = script(`
local r = redis.call('HMGET', KEYS[1], 'c', 'k', 'u')
if r[1] then return 'used' end
if r[2] and tonumber(r[3]) > tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'f', r[2]) end
return 'held'`);

const finishing = `
local function holds(key, claim)
  local r = redis.call('HMGET', key, 'k', 'f')
  if not r[1] then return redis.call('EXISTS', key) == 1 and 'overtaken' or 'gone' end
  if r[1] ~= claim then return 'overtaken' end
  return r[2] == claim and 'accused' or 'ok'
end`;

/** KEYS artifact · ARGV claim, now · marks it used, when nothing else is to be written in its slot */
export const finishScript = script(`${finishing}
local state = holds(KEYS[1], ARGV[1])
if state ~= 'ok' and state ~= 'accused' then return state end
redis.call('HSET', KEYS[1], 'c', ARGV[2])
redis.call('HDEL', KEYS[1], 'k', 'u')
return state`);

/**
 * KEYS used artifact, grant, index, unheard successor (or the artifact again), then what is written
 * ARGV claim, now, successor hash, `retry` or empty, then the six of `put` for each
 * All that a redemption does, at once: without it the artifact is unused again when the claim runs out.
 */
export const commitScript = script(`${putting}${revoking}${finishing}
local state = holds(KEYS[1], ARGV[1])
if state == 'gone' or state == 'overtaken' then return state end
if state == 'accused' or ended(KEYS[2]) then
  redis.call('SET', KEYS[2], 'x', 'XX', 'KEEPTTL')
  revoke(KEYS[3])
  redis.call('UNLINK', KEYS[1])
  return 'revoked'
end
if ARGV[4] == 'retry' then
  if redis.call('HGET', KEYS[4], 'k') ~= ARGV[1] then return 'overtaken' end
  redis.call('HSET', KEYS[4], 'c', ARGV[2])
  redis.call('HDEL', KEYS[4], 'k', 'u')
  redis.call('HSET', KEYS[1], 'r', ARGV[2])
else
  redis.call('HSET', KEYS[1], 'c', ARGV[2])
end
redis.call('HDEL', KEYS[1], 'k', 'u')
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 's', ARGV[3]) end
for i = 5, #KEYS do
  local at = 5 + (i - 5) * 6
  put(KEYS[i], at)
  index(KEYS[3], KEYS[i], ARGV[at + 2], ARGV[at + 3], ARGV[2])
end
return 'ok'`);

/**
 * KEYS unused token, grant, index, then what is written · ARGV now, successor hash, then the six of `put` for each
 * A whole redemption, or nothing and 0 where anything is in its way. Who comes second leaves a mark, as above.
 */
export const redeemScript = script(`${putting}
local r, now = redis.call('HMGET', KEYS[1], 'e', 'c', 'k', 'u'), tonumber(ARGV[1])
if not r[1] or tonumber(r[1]) <= now then return 0 end
if r[2] or (r[3] and tonumber(r[4]) > now) then
  redis.call('HSET', KEYS[1], 'x', '1')
  return 0
end
if redis.call('EXISTS', KEYS[2]) == 0 or ended(KEYS[2]) then return 0 end
redis.call('HDEL', KEYS[1], 'x', 'f', 'k', 'u')
redis.call('HSET', KEYS[1], 'c', ARGV[1], 's', ARGV[2])
for i = 4, #KEYS do
  local at = 3 + (i - 4) * 6
  put(KEYS[i], at)
  index(KEYS[3], KEYS[i], ARGV[at + 2], ARGV[at + 3], ARGV[1])
end
return 1`);

// A session: p payload, b binding, a account, v version, e expiry, x ended. A cookie id that opens it: s session hash,
// b binding, a account, e expiry, l left for a newer id.

/** KEYS session · ARGV version, payload, binding, account, expiry, ttl, now · returns the new version, or 0 */
export const saveSessionScript = script(`
local r = redis.call('HMGET', KEYS[1], 'v', 'x', 'e')
if r[1] and tonumber(r[3]) > tonumber(ARGV[7]) and (r[2] or r[1] ~= ARGV[1]) then return 0 end
local version = tonumber(r[1] or '0') + 1
redis.call('HSET', KEYS[1], 'p', ARGV[2], 'b', ARGV[3], 'a', ARGV[4], 'e', ARGV[5], 'v', version)
redis.call('HDEL', KEYS[1], 'x')
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return version`);

/** KEYS cookie id · ARGV session hash, binding, account, expiry, ttl · an id that was left stays so */
export const openSessionScript = script(`
local r = redis.call('HMGET', KEYS[1], 's', 'l')
if r[2] or (r[1] and r[1] ~= ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 's', ARGV[1], 'b', ARGV[2], 'a', ARGV[3], 'e', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1`);

/** KEYS cookie id · ARGV alias until, ttl */
export const leaveSessionScript = script(`
local e = redis.call('HGET', KEYS[1], 'e')
if not e then return 0 end
if tonumber(e) > tonumber(ARGV[1]) then e = ARGV[1] end
redis.call('HSET', KEYS[1], 'l', '1', 'e', e)
if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`);

/** KEYS session · ARGV account · only an id of the same account may end it */
export const endSessionScript = script(`
if redis.call('HGET', KEYS[1], 'a') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'x', '1')
redis.call('HDEL', KEYS[1], 'p')
return redis.call('HINCRBY', KEYS[1], 'v', 1)`);
