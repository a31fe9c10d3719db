import { errors } from 'oidc-provider';
import { sha256 } from '../shared/crypto.ts';
import { currentUnitOfWork, type UnitOfWork } from '../storage/unit-of-work.ts';
import type { Kind, KindName } from './artifact-kind.ts';
import { keyOf, siblingKey } from './artifact-keys-redis.ts';
import { noteMisuse, passesAsRetry, retrySecondsFor, rotationOf } from './artifact-refresh.ts';
import { accuseScript, claimRetryScript, claimScript, releaseScript } from './artifact-scripts-redis.ts';
import type { RedisArtifactParts } from './artifact-store-redis.ts';
import { endGrant, lease, newClaimToken, noteClaim } from './artifact-unit-redis.ts';
