import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commit, git, type Lab, write } from './lab.ts'

/** Settings and files of a repository that make git run something at every turn. */
export function boobyTrap(
  lab: Lab,
  repo: string,
  attributes = '* filter=evil diff=evil merge=evil\n',
): () => readonly string[] {
  const traps = join(lab.folder, 'traps')
  mkdirSync(traps)
  chmodSync(traps, 0o777)
  const script = (name: string): string => {
    const path = join(lab.folder, `trap-${name}`)
    writeFileSync(path, `#!/bin/sh\ntouch ${traps}/${name}\ncat\n`, { mode: 0o755 })
    return path
  }
  write(repo, { '.gitattributes': attributes })
  commit(repo, { 'trapped.txt': 'x\n' })
  const settings: readonly [string, string][] = [
    ['core.fsmonitor', script('fsmonitor')],
    ['filter.evil.clean', script('clean')],
    ['filter.evil.smudge', script('smudge')],
    ['filter.evil.process', script('process')],
    ['filter.evil.required', 'true'],
    ['diff.evil.textconv', script('textconv')],
    ['diff.evil.command', script('diff')],
    ['diff.external', script('external')],
    ['merge.evil.driver', script('merge')],
    ['core.sshCommand', script('ssh')],
    ['core.pager', script('pager')],
    ['core.editor', script('editor')],
    ['core.askPass', script('askpass')],
    ['core.alternateRefsCommand', script('alternate-refs')],
    ['credential.helper', script('credential')],
    ['gpg.program', script('gpg')],
    ['commit.gpgSign', 'true'],
    ['uploadpack.packObjectsHook', script('pack-objects')],
    ['remote.origin.url', `ext::${script('remote')}`],
    ['remote.origin.uploadpack', script('uploadpack')],
  ]
  for (const [key, value] of settings) git(repo, 'config', key, value)
  const hooks =
    `pre-commit post-commit post-checkout post-index-change reference-transaction pre-receive update post-receive
    post-update proc-receive push-to-checkout pre-push pre-auto-gc fsmonitor-watchman`.split(/\s+/)
  for (const hook of hooks) {
    mkdirSync(`${repo}/.git/hooks`, { recursive: true })
    writeFileSync(`${repo}/.git/hooks/${hook}`, `#!/bin/sh\ntouch ${traps}/hook-${hook}\n`, { mode: 0o755 })
  }
  write(repo, { 'trapped.txt': 'dirty\n', 'a.txt': 'dirty\n' })
  return () => readdirSync(traps)
}
