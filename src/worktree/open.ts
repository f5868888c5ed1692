import { chmodSync, mkdirSync } from 'node:fs'
import { geteuid } from 'node:process'
import type { CommitId } from '../domain/brand.ts'
import type { TaskPlace, Worktrees } from '../domain/worktree.ts'
import { keepConversation, openAgentFolder } from './agent-folder.ts'
import { makeCandidate } from './candidate.ts'
import { changesOf } from './changes.ts'
import { diffInto, mergeInto } from './deliver/merge.ts'
import { moveTarget } from './deliver/move.ts'
import { pushBranch } from './deliver/push-branch.ts'
import { diffText } from './diff.ts'
import { discardTask, laidOutIn, putAwayTask, sweepAll } from './discard.ts'
import { onDisk } from './disk.ts'
import { examine } from './examine.ts'
import { writeFleeting } from './files.ts'
import { openGit, usualPath } from './git.ts'
import { giveBranch, moveBranch } from './handover.ts'
import { historyOf } from './history.ts'
import { branchFor, hiddenFiles, inspectRepository } from './inspect.ts'
import { layOutTask } from './lay-out-task.ts'
import { at, layoutOf } from './layout.ts'
import { listTree } from './listing.ts'
import { Looks } from './looks.ts'
import { materialsOf } from './materials.ts'
import type { Memory } from './memory.ts'
import { textOf } from './raw.ts'
import { openRemotes } from './remote/open.ts'
import { restoreTo } from './restore.ts'
import { sealCommit } from './seal.ts'
import { serial } from './serial.ts'
import { setupKeyOf } from './setup-key.ts'
import { isIntact, keepSetup, keptOf } from './setup.ts'
import type { Site, WorktreesOptions } from './site.ts'
import { memoryOf, realign, recall } from './state.ts'
import { violationsOf } from './verify.ts'

/** Git on the host, in a data folder that is ours alone. One task's calls run one after the other. */
export function openWorktrees(options: WorktreesOptions): Worktrees {
  const { searchPath = usualPath, author, authorities } = options
  const settings = { searchPath, author, ...(authorities === undefined ? {} : { authorities }) }
  const site: Site = {
    ...options,
    settings,
    clock: options.clock ?? Date.now,
    remotes: options.remotes ?? openRemotes({ ...options, remotes: [] }),
    git: openGit(settings),
    self: geteuid?.() ?? 0,
    memories: new Map(),
    looked: new Map(),
    looks: new Looks(),
    serial: serial(),
  }
  const inTurn = <T>(task: TaskPlace, work: () => Promise<T>): Promise<T> =>
    site.serial(`task ${task.id}`, () => onDisk(work))
  const withMemory = <T>(task: TaskPlace, work: (memory: Memory) => Promise<T>): Promise<T> =>
    inTurn(task, async () => work(await memoryOf(site, task)))

  return {
    inspect: (path, ref) => inspectRepository(site, path, ref),
    branchFor: (path, id) => branchFor(site, path, id),
    hidden: (path, commit, policy) => hiddenFiles(site, path, commit, policy),
    isLaidOut: (task) => inTurn(task, async () => (await recall(site, task)) !== null),
    open: (task) => inTurn(task, () => layOutTask(site, task)),
    restore: (task, commit) =>
      inTurn(task, async () => {
        const memory = await recall(site, task)
        // Nothing was made yet, so nothing is to be put back: `open` comes before a box.
        if (memory !== null) await restoreTo(site, task, memory, commit, keptOf(site, task))
      }),
    listing: (task) =>
      withMemory(task, (memory) =>
        listTree(
          layoutOf(site.data, task).worktree,
          memory,
          site.policyMatcher(task.policy),
          task.policy.allow.length > 0,
        ),
      ),
    verify: (task, parent, signal) =>
      withMemory(task, async (memory) => {
        memory.examined = await lookAgain(until(site, signal), task, memory, parent)
        return violationsOf(memory.examined, site.policyMatcher(task.policy))
      }),
    candidate: (task, parent, message, signal) =>
      withMemory(task, async (memory) => {
        const ours = until(site, signal)
        const known = memory.state.at === parent ? memory.examined : null
        memory.examined = null
        const seen = known ?? (await lookAgain(ours, task, memory, parent))
        return makeCandidate(ours, task, memory, seen, parent, message)
      }),
    seal: (task, candidate, attestation) =>
      inTurn(task, async () => sealCommit(site, task, await recall(site, task), candidate, attestation)),
    history: (task, head) => inTurn(task, () => historyOf(site, task, head)),
    checkpoint: (task, commit) => inTurn(task, () => moveBranch(site, task, commit)),
    handover: (task, commit) => inTurn(task, () => giveBranch(site, task, commit)),
    merge: (task, head, wish) => inTurn(task, () => mergeInto(site, task, head, wish)),
    push: (task, head, remote, wish) => inTurn(task, () => pushBranch(site, task, head, remote, wish)),
    move: (task, move) => inTurn(task, () => moveTarget(site, task, move)),
    diffInto: (task, head, branch) =>
      inTurn(task, async () => {
        const { from, to } = await diffInto(site, task, head, branch)
        return diffText(site, task, from, to)
      }),
    diff: (task, from, to) => diffText(site, task, from, to),
    changes: (task, from, to, wants, signal) => changesOf(until(site, signal), task, from, to, wants, signal),
    setupKey: (task, commit) => withMemory(task, (memory) => setupKeyOf(site, task, memory, commit)),
    keepSetup: (task, key) =>
      inTurn(task, async () => {
        const { kept, dropped } = await keepSetup(site, task, key)
        return { kept: kept.map(textOf), dropped }
      }),
    setupIntact: (task, key) => inTurn(task, () => isIntact(site, task, key)),
    setupFolders: (task) => onDisk(async () => keptOf(site, task)),
    writeAttemptFile: (task, name, content) =>
      onDisk(async () => writeAttemptFile(site, task, name, content)),
    openAgentFolder: (task, files, from, of = task) => {
      const open = () => openAgentFolder(site, task, files, from, of)
      // A conversation of another task is not put away meanwhile. No task is asked for by one that it asks for itself.
      return inTurn(task, () => (of.id === task.id ? open() : inTurn(of, open)))
    },
    keepConversation: (task, name, keeps, also) =>
      inTurn(task, () => keepConversation(site, task, name, keeps, also)),
    materials: (task) => {
      const materials = materialsOf(site, task)
      return {
        locate: (source) => inTurn(task, () => materials.locate(source)),
        pack: (source) => inTurn(task, () => materials.pack(source)),
        unpack: (source, tar) => inTurn(task, () => materials.unpack(source, tar)),
      }
    },
    discard: (task) => inTurn(task, () => discardTask(site, task)),
    laidOut: () => onDisk(() => laidOutIn(site)),
    putAway: (task) => inTurn(task, () => putAwayTask(site, task)),
    sweep: (discarded) => sweepAll(site, discarded),
    end: () => site.git.end(),
  }
}

/** The same site, whose git ends with a signal. */
function until(site: Site, signal: AbortSignal | undefined): Site {
  return signal === undefined ? site : { ...site, git: site.git.until(signal) }
}

/** Sees the worktree against `parent`, whatever was known of it. */
async function lookAgain(
  site: Site,
  task: TaskPlace,
  memory: Memory,
  parent: CommitId,
): Promise<Awaited<ReturnType<typeof examine>>> {
  await realign(site, task, memory, parent)
  memory.clean = null
  return examine(site, task, memory, keptOf(site, task))
}

function writeAttemptFile(site: Site, task: TaskPlace, name: string, content: string): void {
  if (!/^[\w-][\w.-]*$/.test(name)) throw new Error(`no name of a file: ${JSON.stringify(name)}`)
  const { attempts } = layoutOf(site.data, task)
  mkdirSync(attempts, { recursive: true, mode: 0o755 })
  const path = at(attempts, name)
  writeFleeting(path, content, 0o644)
  // Whatever our umask is: the boxes' user reads it.
  chmodSync(attempts, 0o755)
  chmodSync(path, 0o444)
}
