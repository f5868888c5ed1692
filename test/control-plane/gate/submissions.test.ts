import { expect, it } from 'vitest'
import { idUnder, submissionOf } from '../../../control-plane/gate/submissions.ts'
import { parseTaskId } from '../../../src/domain/ids.ts'
import { taskRequestSchema } from '../../../src/domain/intake.ts'
import { aPerson } from '../../support/task.ts'

const request = { goal: 'Mend it', repository: '/r' }

it('a key is one task of one actor', () => {
  const id = idUnder('key', aPerson)
  expect(parseTaskId(id)).toBe(id)
  expect(idUnder('key', aPerson)).toBe(id)
  expect(idUnder('kez', aPerson)).not.toBe(id)
  expect(idUnder('key', { ...aPerson, id: 'grace' })).not.toBe(id)
})

it('the same request has the same hash, however it is written', () => {
  const hash = (input: object): string => submissionOf(taskRequestSchema.parse(input), []).requestHash
  expect(hash({ repository: '/r', goal: ' Mend it ' })).toBe(hash(request))
  expect(hash({ ...request, test: undefined })).toBe(hash(request))
  expect(hash({ ...request, test: null })).not.toBe(hash(request))
  expect(hash({ ...request, goal: 'Mend that' })).not.toBe(hash(request))
})
