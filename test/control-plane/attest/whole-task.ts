import Database from 'better-sqlite3'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { verifyAttestations } from '../../../control-plane/attest/verify.ts'
import { perform } from '../../../control-plane/gate/act.ts'
import { placeOf } from '../../../control-plane/loop/work.ts'
import type { Store } from '../../../control-plane/store/store.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import { policyHash } from '../../../src/domain/policies.ts'
import type { Status, Task } from '../../../src/domain/task.ts'
import type { Verification } from '../../../src/domain/verification/verify.ts'
import type { History, Worktrees } from '../../../src/domain/worktree.ts'
import { type LoopLab, loopLab } from '../../support/loop-lab.ts'
import { aRepository } from '../../support/repository.ts'
import { aBudget, aPerson, aPolicy } from '../../support/task.ts'

/** A task that left rows of every kind, and what checking it came to whenever it rested. */
export interface WholeTask extends AsyncDisposable {
  readonly lab: LoopLab
  readonly repo: string
  /** The git folders that have its branch: the repository's and the mirror's. */
  readonly places: readonly string[]
  /** APPLIED. */
  readonly task: Task
  /** In the order of its rests: a verification that found nothing has its status alone. */
  readonly rests: readonly string[]
  /** `fresh`: branches are looked at anew, else as they were when they were looked at for the same task, which spares git. */
  check(this: void, options?: CheckOptions): Promise<Verification>
  /** Copies of the database, as it was at each rest. */
  readonly copies: readonly HostPath[]
}

interface CheckOptions {
  readonly keys?: readonly string[]
  readonly fresh?: boolean
  /** In the place of both. */
  readonly history?: History
  readonly installation?: string
  readonly store?: Store
}

const ask = `require("node:http").request({ host: "127.0.0.1", port: new URL(process.env.HTTPS_PROXY).port,
  method: "CONNECT", path: "denied.example.test:443" }).on("error", () => process.exit()).on("connect", () => process.exit())
  .on("response", () => process.exit()).end()`

/** What the agent does the first time, the second time, ... `turns` is a folder that boxes of the lab share. */
const agent = (turns: string): string => `
  turn=$(ls ${turns} | grep -vc written)
  touch ${turns}/$turn
  case $turn in
    0) node -e '${ask}'; mkdir new; echo secret >new/.env; echo TASK_STATE: CONTINUE ;;
    1) node -e '${ask}'; echo one >one.txt; echo TASK_STATE: CONTINUE ;;
    2) echo two >two.txt; echo BLOCK_REASON: tell me; echo TASK_STATE: BLOCKED ;;
    3) echo three >three.txt; touch ${turns}/3.written; sleep 60 ;;
    4) echo four >four.txt; echo TASK_STATE: CONTINUE ;;
    *) echo done >done.txt; echo TASK_STATE: DONE ;;
  esac`

export async function wholeTask(): Promise<WholeTask> {
  const lab = await loopLab()
  const repo = aRepository()
  const policy = aPolicy({ egress: ['allowed.example.test'] })
  const rests: string[] = []
  const copies: HostPath[] = []
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-turns-'))
  const turns = join(folder, 'turns')
  mkdirSync(turns)
  const { id } = await lab.birth(repo, agent(turns), {
    test: '[ ! -f done.txt ] || grep -q done done.txt',
    policy,
    policyHash: policyHash(policy),
    budget: aBudget({ steps: 4 }),
    status: 'DRAFT',
  })
  const person = { actor: aPerson, shown: null }
  const rested = async (wanted: Status): Promise<Task> => {
    const task = await lab.settled(id)
    if (task.status !== wanted) throw new Error(`not ${wanted}, but ${task.status}: ${task.halt?.text}`)
    const copy = join(folder, `${wanted}.db`) as HostPath
    const db = new Database(lab.database)
    db.exec(`VACUUM INTO '${copy}'`)
    db.close()
    copies.push(copy)
    const { findings } = await check({ fresh: true })
    rests.push([wanted, ...findings.map(({ where, text }) => `${where}: ${text}`)].join('\n'))
    return task
  }
  const resume = (steps: number | null): void => {
    const budget = steps === null ? null : { steps }
    perform(lab.deps, id, { act: 'resume', instruction: 'Go on', budget }, person)
  }
  const seen = new Map<string, Promise<History>>()
  const historyOnce: Worktrees['history'] = (place, head) => {
    const key = JSON.stringify([place, head])
    const history = seen.get(key) ?? lab.worktrees.history(place, head)
    seen.set(key, history)
    return history
  }
  const check: WholeTask['check'] = (options = {}) => {
    const { keys = [], fresh = false, installation = 'lab', store = lab.deps.store, history } = options
    const looking = fresh ? lab.worktrees : { history: historyOnce }
    const worktrees = history === undefined ? looking : { history: () => Promise.resolve(history) }
    return verifyAttestations({ store, worktrees, key: () => lab.key, installation }, id, keys, placeOf)
  }

  perform(lab.deps, id, { act: 'suggest', text: 'Mind the style' }, person)
  perform(lab.deps, id, { act: 'approve' }, person)
  await rested('BLOCKED')
  resume(null)
  await lab.until(id, () => existsSync(join(turns, '3.written')))
  perform(lab.deps, id, { act: 'stop', text: 'Wait' }, person)
  await rested('STOPPED')
  resume(null)
  await rested('TIMEOUT')
  resume(9)
  const task = await rested('APPLIED')
  return {
    lab,
    repo,
    places: [join(repo, '.git'), join(dirname(lab.database), 'mirrors', `${task.repository.key}.git`)],
    task,
    rests,
    copies,
    check,
    async [Symbol.asyncDispose]() {
      await lab[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true })
    },
  }
}
