import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { parseQuestionRequest } from '../../src/domain/question/request.ts'
import type { Task } from '../../src/domain/task.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'
import { attack } from './attack.ts'
import { printOf } from './host.ts'
import { python } from './probe.ts'

const files = { 'a.txt': 'a\n', 'src/deep/b.txt': 'b\n', 'run.sh': '#!/bin/sh\n', '.gitignore': 'build/\n' }

let plane: TestPlane
let repo: string
beforeAll(async () => {
  plane = await openTestPlane()
  repo = aRepository(files)
})
afterAll(() => plane.close())

/** Each way to write. */
const writes: Readonly<Record<string, string>> = {
  'append to a file': 'echo more >>a.txt',
  'make a file': 'echo new >new.txt',
  'make an ignored file': 'mkdir build && echo new >build/new.txt',
  'make a file in a folder': 'echo new >src/deep/new.txt',
  'make a folder': 'mkdir new',
  'remove a file': 'rm -f a.txt && [ ! -e a.txt ]',
  'rename a file': 'mv .gitignore ignored.txt',
  'rename a folder': 'mv src other',
  'change a mode': 'chmod 777 run.sh',
  'change a time': 'touch a.txt',
  'make a symlink': 'ln -s /etc/passwd link',
  'make a hard link': 'ln a.txt hard.txt',
  'link a file out and write it there': 'ln a.txt /tmp/a.txt && echo more >>/tmp/a.txt',
  'write by an open descriptor': python('open("a.txt", "r+").write("x")'),
  'write by /proc': python(
    'import os\nfd = os.open("a.txt", os.O_RDONLY)\nopen(f"/proc/self/fd/{fd}", "w").write("x")',
  ),
  'write by a shared mapping': python(
    'import mmap\nf = open("a.txt", "r+b")\nm = mmap.mmap(f.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)\nm[0] = 120',
  ),
  'mount over it again':
    'mount -o remount,rw /work || unshare -Urm sh -c "mount -o remount,rw /work && echo x >/work/a.txt"',
  'denied where it is named': 'echo KEY=1 >.env',
  'replace the pointer of git': 'echo gitdir: /tmp >.git',
  commit: 'git commit -q --allow-empty -m mine',
  'set a hook': 'echo "touch /work/hooked" >"$(git rev-parse --absolute-git-dir)/hooks/post-checkout"',
  'configure git': 'git config core.fsmonitor "touch /work/hooked"',
  'write the prompt': 'echo x >>/cofferdam/attempt/prompt.md',
}

/** Those that no box lets through, whatever it may write. */
const never: ReadonlySet<string> = new Set([
  'link a file out and write it there',
  'mount over it again',
  'denied where it is named',
  'replace the pointer of git',
  'set a hook',
  'write the prompt',
])

async function asked(script: string): Promise<Task> {
  const agent = { name: 'command', argv: ['/bin/sh', '-c', script] }
  const parsed = parseQuestionRequest({ question: 'What is in a.txt?', repository: repo, agent })
  if (!parsed.ok) throw new Error(parsed.problems.join(' '))
  const { task } = await plane.client.ask(parsed.request)
  if (task.status === 'DRAFT') await plane.client.act(task.id, { act: 'approve' })
  return await plane.settled(task.id)
}

describe('a question that writes', () => {
  attack(
    'A152 write to the repository while answering a question about it',
    'As the agent that answers a question, in every way that there is: change, make, rename and remove files of the worktree, write its private git, remount it, and leave a commit or a hook.',
    async ({ saw }) => {
      const before = printOf(repo)
      const tried = Object.entries(writes).map(
        ([name, script]) => `( cd /work\n${script}\n) >/dev/null 2>&1 && echo 'DONE ${name}'`,
      )
      const task = await asked(`${tried.join('\n')}\necho "tmp works" >/tmp/x && cat /tmp/x a.txt`)
      // Nothing was possible: not one of them is among what it printed.
      expect([task.status, task.halt?.text ?? null, task.answer]).toEqual(['APPLIED', null, 'tmp works\na'])
      const worktree = join(plane.config.dataFolder, 'tasks', task.id)
      expect(new Set(readdirSync(worktree, { recursive: true, encoding: 'utf8' }))).toEqual(
        new Set(['.git', ...Object.keys(files), 'src', 'src/deep']),
      )
      for (const [name, content] of Object.entries(files))
        expect([name, readFileSync(join(worktree, name), 'utf8')]).toEqual([name, content])
      expect(statSync(join(worktree, 'run.sh')).mode & 0o777).not.toBe(0o777)
      expect(printOf(repo)).toEqual(before)
      expect(git(repo, 'branch', '--list', 'cofferdam*')).toBe('')
      const { findings } = await plane.client.verify(task.id, [])
      expect(findings).toEqual([])
      // The same where it may write: what failed above did not fail by itself.
      const free = await plane.run({ repo, argv: sh(`${tried.join('\n')}\ntrue`), yes: true })
      const worked = (await plane.client.logs(free.id, 1)).match(/(?<=DONE ).*/g) ?? []
      expect(worked).toEqual(Object.keys(writes).filter((name) => !never.has(name)))
      saw(
        `${Object.keys(writes).length} ways to write failed inside the box; worktree and repository are byte for byte as before, there is no branch, the record holds, and the answer came all the same.`,
      )
    },
  )
})
