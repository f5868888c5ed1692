import { keyId, publicKeyOf } from '../../src/domain/attestation.ts'
import { Failure, messageOf, type Unreadable } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Task } from '../../src/domain/task.ts'
import type { TrustedKey } from '../../src/domain/verification/evidence.ts'
import { type Verification, verifyTask } from '../../src/domain/verification/verify.ts'
import type { History, TaskPlace, Worktrees } from '../../src/domain/worktree.ts'
import type { Store } from '../store/store.ts'
import type { SigningKey } from './key.ts'

export interface VerifyDeps {
  readonly store: Store
  readonly worktrees: Pick<Worktrees, 'history'>
  /** The installation's own; null where it has none yet. */
  readonly key: () => SigningKey | null
  readonly installation: string
}

/**
 * Reads all that there is of a task and holds it against its attestations. `keys`: PEMs to trust in place of the
 * installation's own. Only reads. Rejects with `Failure('not_found' | 'bad_request' | 'data_folder')`.
 */
export async function verifyAttestations(
  deps: VerifyDeps,
  id: TaskId,
  keys: readonly string[],
  placeOf: (task: Task) => TaskPlace,
): Promise<Verification> {
  const { store } = deps
  const attestations = readable(() => store.attestations(id))
  const task = readable(() => store.task(id))
  if (task === null && 'length' in attestations && attestations.length === 0)
    throw new Failure('not_found', `There is no task ${id}: \`cofferdam task list\` shows those there are.`)
  const trusted = keys.length === 0 ? [ownKey(deps)] : keys.map(trustedKey)
  const found = task ?? { unreadable: 'Its row is gone from runtime_tasks.' }
  // From below the first: a row that was put in before it is one too many.
  const events = store.eventMarks(id, { upTo: -Infinity, chain: '' })
  return verifyTask(
    {
      id,
      installation: deps.installation,
      task: found,
      checkpoints: readable(() => store.checkpoints(id)),
      attestations,
      record: store.record(id),
      interim: store.interimRecord(id),
      events,
      lastEvent: readable(() => store.events(id, (events.at(-1)?.upTo ?? 1) - 1, 1)[0] ?? null),
      history: await historyOf(deps, found, placeOf),
    },
    trusted,
  )
}

async function historyOf(
  { worktrees }: VerifyDeps,
  task: Task | Unreadable,
  placeOf: (task: Task) => TaskPlace,
): Promise<History | Unreadable> {
  if ('unreadable' in task) return task
  try {
    return await worktrees.history(placeOf(task), task.head)
  } catch (error) {
    if (error instanceof Failure) return { unreadable: error.message }
    throw error
  }
}

/** A row that cannot be parsed is a finding; a storage that fails is none. */
function readable<T>(read: () => T): T | Unreadable {
  try {
    return read()
  } catch (error) {
    if (error instanceof Failure && error.code === 'database') return { unreadable: messageOf(error) }
    throw error
  }
}

function ownKey({ key }: Pick<VerifyDeps, 'key'>): TrustedKey {
  const { id, publicKey } = publicHalf(key())
  return { id, key: publicKey }
}

/** Throws `Failure('data_folder')` where there is none. */
export function publicHalf(key: SigningKey | null): Pick<SigningKey, 'id' | 'pem' | 'publicKey'> {
  if (key !== null) return key
  throw new Failure(
    'data_folder',
    'There is no attestation key here: it is made with the first task. Where tasks were attested before, put it back from ' +
      'a backup, or check with `cofferdam verify TASK --key FILE` and a copy of its public key.',
  )
}

function trustedKey(pem: string): TrustedKey {
  const key = publicKeyOf(pem)
  if (key !== null) return { id: keyId(key), key }
  throw new Failure(
    'bad_request',
    'That is no Ed25519 public key in PEM: give a file that `cofferdam verify --export-key` has printed.',
  )
}
