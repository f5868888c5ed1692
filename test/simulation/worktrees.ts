import type { CommitId } from '../../src/domain/brand.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Branch, TaskPlace, Worktrees } from '../../src/domain/worktree.ts'
import { type Machine, type Place, treeIdOf } from './machine.ts'

/** What a box writes that the policy denies. */
export const denied = '.env'
/** What a box writes that wants setup to run again. */
export const manifest = 'package.json'

/** Git and disk of a machine, as one process sees them. `ended` is called when this process ends in good order. */
export function virtualWorktrees(machine: Machine, ended: () => void): Worktrees {
  const placeOf = ({ id }: Pick<TaskPlace, 'id'>): Place => {
    const place = machine.places.get(id)
    if (place === undefined) throw new Failure('worktree', `Task ${id} is not laid out.`)
    return place
  }
  const going = (signal: AbortSignal | undefined): void => {
    if (signal?.aborted === true) throw new Failure('worktree', 'Git was broken off.')
  }
  const violationsOf = ({ tree }: Place) =>
    tree.includes(denied)
      ? [{ path: denied, rule: denied, kind: 'deny', what: 'created', found: 'file' } as const]
      : []
  const setupKeyOf = (commit: CommitId): string =>
    `key ${machine.get(commit).tree.filter((name) => name === manifest).length}`
  const forbidden = (): never => {
    throw new Error('no box asks for its sources here')
  }
  const remove = (id: TaskId): void => {
    machine.places.delete(id)
  }
  return {
    async inspect(path) {
      return { path, key: 'example', ref: 'main', commit: machine.base, notes: [] }
    },
    async branchFor(_path, id) {
      return `cofferdam/${id}`
    },
    async hidden() {
      return []
    },
    async isLaidOut({ id }) {
      return machine.places.has(id)
    },
    async open({ id, base }) {
      if (!machine.places.has(id))
        machine.places.set(id, { tree: machine.get(base.commit).tree, setup: null })
    },
    async restore(place, commit) {
      placeOf(place).tree = machine.get(commit).tree
    },
    async listing() {
      return { hidden: [], folders: ['src'], matches: [] }
    },
    async verify(place, _parent, signal) {
      going(signal)
      return violationsOf(placeOf(place))
    },
    async candidate(place, parent, message, signal) {
      going(signal)
      const found = placeOf(place)
      const violations = violationsOf(found)
      if (violations.length > 0) return { kind: 'refused', violations }
      const tree = treeIdOf(found.tree)
      const before = machine.get(parent)
      const changed = tree !== treeIdOf(before.tree)
      const stat = { files: changed ? 1 : 0, insertions: 0, deletions: 0 }
      const { id: commit } = changed ? machine.commit(parent, found.tree, message) : before
      return { kind: 'made', commit, tree, changed, leftOut: [], stat }
    },
    async seal(_place, candidate, attestation) {
      const unsealed = machine.get(candidate)
      return machine.commit(unsealed.parent, unsealed.tree, attestation, unsealed).id
    },
    async history({ branch, base }) {
      const read = (tip: CommitId | undefined): Branch => branchOf(machine, tip ?? null, base.commit)
      return { mirror: read(machine.mirror.get(branch)), source: read(machine.source.get(branch)) }
    },
    async checkpoint({ branch }, commit) {
      machine.mirror.set(branch, commit)
    },
    async handover({ branch }, commit) {
      machine.source.set(branch, commit)
    },
    async merge(_place, head, { into, how, at }) {
      const from = machine.source.get(into) ?? machine.base
      const [ours, theirs] = [machine.get(from).tree, machine.get(head).tree]
      const tree = [...new Set([...ours, ...theirs])].sort()
      if (tree.length === ours.length) return { kind: 'contained', from }
      if (how === 'fast-forward' && from !== machine.base) return { kind: 'diverged', from }
      // Each agent makes a tree of its own, so what two of them share is the base.
      const { id: commit } = machine.commit(from, tree, `merge of ${head} at ${at}`)
      return { kind: 'made', from, commit, sameTree: tree.length === theirs.length }
    },
    async move(_place, { into, from, to, back }) {
      const tip = machine.source.get(into) ?? machine.base
      if (tip === to) return { kind: 'moved' }
      if (tip === from) {
        machine.source.set(into, to)
        return { kind: 'moved' }
      }
      if (back) return leadsTo(machine, from, tip) ? { kind: 'elsewhere', tip } : { kind: 'gone', tip }
      return leadsTo(machine, to, tip) ? { kind: 'moved' } : { kind: 'elsewhere', tip }
    },
    async push({ branch }, head) {
      const { branches } = machine.forge
      const tip = branches.get(branch)
      if (tip !== undefined && !leadsTo(machine, tip, head)) return { kind: 'elsewhere', tip }
      branches.set(branch, head)
      return { kind: 'pushed' }
    },
    async diffInto() {
      return ''
    },
    async diff() {
      return ''
    },
    async changes() {
      return []
    },
    async setupKey(_place, commit) {
      return setupKeyOf(commit)
    },
    async keepSetup(place, key) {
      placeOf(place).setup = key
      return { kept: ['deps'], dropped: [] }
    },
    async setupIntact(place, key) {
      return placeOf(place).setup === key
    },
    async setupFolders() {
      return []
    },
    async writeAttemptFile() {
      // No box reads it.
    },
    async openAgentFolder() {
      return false
    },
    async keepConversation() {
      // No agent of it has one.
    },
    materials: () => ({ locate: forbidden, pack: forbidden, unpack: forbidden }),
    async discard({ id }) {
      remove(id)
    },
    async laidOut() {
      return [...machine.places.keys()]
    },
    async putAway({ id }) {
      remove(id)
    },
    async sweep(discarded) {
      for (const id of discarded) remove(id)
    },
    end: ended,
  }
}

/** Whether a commit is in the history of another. */
export function leadsTo(machine: Machine, old: CommitId, young: CommitId): boolean {
  for (let at: CommitId | null = young; at !== null; at = machine.get(at).parent) if (at === old) return true
  return false
}

function branchOf(machine: Machine, tip: CommitId | null, base: CommitId): Branch {
  const commits = []
  for (let next = tip; next !== null && next !== base; next = machine.get(next).parent) {
    const { id, tree, parent, attestation, unsealed } = machine.get(next)
    const parents = parent === null ? [] : [parent]
    commits.push({ id, tree: treeIdOf(tree), parents, attestation, unsealed, sound: true })
  }
  return { tip, commits }
}
