import { expect, test } from 'vitest'
import { Failure } from '../../src/domain/failure.ts'
import { onDisk } from '../../src/worktree/disk.ts'
import { gitFailure } from '../../src/worktree/git.ts'

test('B21 a full disk is said in one sentence, whoever met it', async () => {
  const enospc = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  const error = await onDisk(() => Promise.reject(enospc)).catch((thrown: unknown) => thrown)
  const said = gitFailure('read-tree', 'error: unable to write file a.txt: No space left on device\n')
  for (const failure of [error, said]) {
    expect(failure).toBeInstanceOf(Failure)
    expect(failure).toMatchObject({
      code: 'disk',
      message: 'The disk of the data folder is full.',
    })
  }
})

test('what git says is kept to its first words', () => {
  const failure = gitFailure('push', 'hint: try this\nfatal: no\nmore\n')
  expect(failure).toMatchObject({
    code: 'worktree',
    message: 'git push failed: fatal: no; more. Mend that, then try again.',
  })
})
