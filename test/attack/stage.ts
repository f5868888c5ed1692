import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { BoxResult, BoxSpec, Engine, Materials } from '../../src/domain/box.ts'
import type { CommitId, HostPath } from '../../src/domain/brand.ts'
import type { Policy } from '../../src/domain/policy.ts'
import type { TaskPlace, Worktrees } from '../../src/domain/worktree.ts'
import { dockerEngine, type DockerEngineOptions } from '../../src/sandbox/docker/engine.ts'
import { compileBox } from '../../src/sandbox/spec.ts'
import { aRequest, Notes, type Overrides } from '../support/box.ts'
import { docker, sandboxImage } from '../support/docker.ts'
import { openLab, repository, taskOn, user, type Files } from '../worktree/lab.ts'
import { Answers, probe, type Attempts } from './probe.ts'

/**
 * A task on a real repository, its real worktree, and the real engine; without a control plane, so that a case can look at
 * the tree between a box and what the host does after it.
 */
export interface Stage extends AsyncDisposable {
  /** A scratch folder around all of it, removed at the end. */
  readonly folder: string
  readonly repo: string
  readonly data: HostPath
  readonly task: TaskPlace
  readonly worktrees: Worktrees
  /** The task's worktree on the host, which boxes get at `/work`. */
  readonly worktree: string
  readonly installation: string
  readonly engine: Engine
  readonly materials: Materials
  /** Another engine on the same folders, as of another process. */
  reopen(options?: Partial<DockerEngineOptions>): Engine
  /** The next box of the task; every call makes one of another name. */
  spec(argv: readonly string[], more?: Overrides): Promise<BoxSpec>
  /** Runs an agent box (or another kind) to its end and removes it. */
  run(argv: readonly string[], more?: Overrides, notes?: Notes): Promise<BoxResult>
  /** Runs many attempts in one agent box. */
  probe(attempts: Attempts, more?: Overrides): Promise<Answers>
  /** What verifier and gate make of what is on disk: the commit, or why there is none. */
  judge(
    parent?: CommitId,
  ): Promise<{ readonly violations: readonly string[]; readonly commit: CommitId | null }>
}

export async function openStage(files: Files, policy: Partial<Policy> = {}): Promise<Stage> {
  const tag = await sandboxImage()
  const image = (await docker.getImage(tag).inspect()).Id
  const lab = openLab()
  const { worktrees, data, folder } = lab
  const repo = repository(lab, files)
  const task = await taskOn(worktrees, repo, policy)
  await worktrees.open(task)
  const installation = `a${randomBytes(4).toString('hex')}`
  const scratch = join(folder, 'scratch') as HostPath
  const reopen: Stage['reopen'] = (options) =>
    dockerEngine({
      installation,
      user,
      scratch,
      runtimeFolder: scratch,
      image: () => ({ from: 'ours', tag, agents: [] }),
      ...options,
    })
  const engine = reopen()
  const materials: Materials = {
    ...worktrees.materials(task),
    accept: (connection) => {
      connection.end()
    },
  }
  let fence = 0

  const spec: Stage['spec'] = async (argv, more = {}) => {
    const own = (fence += 1)
    await worktrees.writeAttemptFile(task, 'prompt.md', 'Do what is asked.\n')
    return compileBox(
      aRequest({
        installation,
        task: task.id,
        fence: own,
        image,
        user,
        argv,
        policy: { ...task.policy, limits: { ...task.policy.limits, diskFreeMb: 64 } },
        commit: task.base.commit,
        listing: await worktrees.listing(task),
        setupFolders: await worktrees.setupFolders(task),
        egress: null,
        ...more,
      }),
    )
  }
  const run: Stage['run'] = async (argv, more, notes = new Notes()) => {
    const made = await spec(argv, more)
    try {
      return await engine.run(made, materials, notes, new AbortController().signal)
    } finally {
      await engine.remove(made.name)
    }
  }
  return {
    folder,
    repo,
    data,
    task,
    worktrees,
    worktree: await worktrees.materials(task).locate({ kind: 'worktree', path: '' }),
    installation,
    engine,
    materials,
    reopen,
    spec,
    run,
    async probe(attempts, more) {
      const result = await run(probe(attempts), more)
      return new Answers(result.output)
    },
    async judge(parent = task.base.commit) {
      const found = await worktrees.verify(task, parent)
      const said = found.map(({ what, kind, path, found: is }) => `${what} ${kind} ${path} ${is}`).sort()
      if (found.length > 0) return { violations: said, commit: null }
      const result = await worktrees.candidate(task, parent, 'An attack')
      return result.kind === 'made'
        ? { violations: [], commit: result.commit }
        : { violations: result.violations.map(({ path }) => `gate ${path}`), commit: null }
    },
    async [Symbol.asyncDispose]() {
      for (const { name } of await reopen().list()) await engine.remove(name)
      lab[Symbol.dispose]()
    },
  }
}
