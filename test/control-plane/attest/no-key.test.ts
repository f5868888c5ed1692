import { expect, it } from 'vitest'
import { verifyAttestations } from '../../../control-plane/attest/verify.ts'
import { placeOf } from '../../../control-plane/loop/work.ts'
import { policyHash } from '../../../src/domain/policies.ts'
import { loopLab } from '../../support/loop-lab.ts'
import { aRepository } from '../../support/repository.ts'
import { aPolicy } from '../../support/task.ts'

it('a task is checked with the key that there is or that is given, and no other is made', async () => {
  await using lab = await loopLab()
  const script = 'echo done >done.txt; echo TASK_STATE: DONE'
  const { id } = await lab.birth(aRepository(), script, { policyHash: policyHash(aPolicy()), test: 'true' })
  await lab.settled(id)
  const deps = { store: lab.deps.store, worktrees: lab.worktrees, installation: 'lab' }
  const check = (key: typeof lab.key | null, keys: readonly string[]) =>
    verifyAttestations({ ...deps, key: () => key }, id, keys, placeOf)
  expect(await check(lab.key, [])).toMatchObject({ findings: [] })
  expect(await check(null, [lab.key.pem])).toMatchObject({ findings: [] })
  await expect(check(null, [])).rejects.toThrow(
    /^There is no attestation key here: it is made with the first task\..*--key FILE/,
  )
})
