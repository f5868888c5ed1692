import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { verifyAttestations } from '../../../control-plane/attest/verify.ts'
import { perform } from '../../../control-plane/gate/act.ts'
import { placeOf } from '../../../control-plane/loop/work.ts'
import { policyHash } from '../../../src/domain/policies.ts'
import { loopLab } from '../../support/loop-lab.ts'
import { aRepository } from '../../support/repository.ts'
import { anOwner, aPolicy } from '../../support/task.ts'

/** What SQLite gives back as U+FFFD. */
const half = '\ud83d'

it('a task in whose words half a character stands alone is as it was attested, before it runs and wherever it rests', async () => {
  await using lab = await loopLab()
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-half-'))
  const turn = join(folder, 'turn')
  const script = `
    if [ -e ${turn} ]; then echo TASK_STATE: DONE; exit; fi
    touch ${turn}; echo one >one.txt; echo BLOCK_REASON: tell me; echo TASK_STATE: BLOCKED`
  try {
    const { id } = await lab.birth(aRepository(), script, {
      goal: `Fix ${half}`,
      request: `Fix ${half}`,
      test: `true # ${half}`,
      policyHash: policyHash(aPolicy()),
      risks: [{ rule: 'draft', text: half }],
      status: 'DRAFT',
    })
    const person = { caller: anOwner, shown: null }
    const findings = async () => {
      const deps = { ...lab.deps, worktrees: lab.worktrees, key: () => lab.key, installation: 'lab' }
      return (await verifyAttestations(deps, id, [], placeOf)).findings
    }
    expect(await findings()).toEqual([])
    perform(lab.deps, id, { act: 'suggest', text: `Mind ${half}` }, person)
    expect(await findings()).toEqual([])
    perform(lab.deps, id, { act: 'approve' }, person)
    expect([(await lab.settled(id)).status, await findings()]).toEqual(['BLOCKED', []])
    perform(lab.deps, id, { act: 'resume', instruction: `Go on ${half}`, budget: null }, person)
    expect([(await lab.settled(id)).status, await findings()]).toEqual(['APPLIED', []])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
