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
  readonly key: SigningKey
  readonly installation: string
}

/**
 * Reads all that there is of a task and holds it against its attestations. `keys`: PEMs to trust in place of the
 * installation's own. Rejects with `Failure('not_found' | 'bad_request')`.
 */
export async function verify(
  deps: VerifyDeps,
  id: TaskId,
  keys: readonly string[],
  placeOf: (task: Task) => TaskPlace,
): Promise<Verification> {
  const { store } = deps
  const trusted = keys.length === 0 ? [{ id: deps.key.id, key: deps.key.publicKey }] : keys.map(trustedKey)
  const attestations = readable(() => store.attestations(id))
  const task = readable(() => store.task(id))
  if (task === null && 'length' in attestations && attestations.length === 0)
    throw new Failure('not_found', `There is no task ${id}: \`cofferdam task list\` shows those there are.`)
  const found = task ?? { unreadable: 'Its row is gone from runtime_tasks.' }
  return verifyTask(
    {
      id,
      installation: deps.installation,
      task: found,
      checkpoints: readable(() => store.checkpoints(id)),
      attestations,
      record: store.record(id),
      events: store.eventMarks(id, { upTo: 0, chain: '' }),
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
    return await worktrees.history(placeOf(task))
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

function trustedKey(pem: string): TrustedKey {
  const key = publicKeyOf(pem)
  if (key !== null) return { id: keyId(key), key }
  throw new Failure(
    'bad_request',
    'That is no Ed25519 public key in PEM: give a file that `cofferdam verify --export-key` has printed.',
  )
}
