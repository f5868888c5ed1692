import { describe, expect, it } from 'vitest'
import { BoxNotices } from '../../../control-plane/loop/notices.ts'
import { aBox } from '../../support/box.ts'
import { aDecision } from '../../support/decision.ts'
import { openBoxWork } from './box-work.ts'

const box = aBox()

describe('what a person is told of a box', () => {
  it('is each refusal once, with host, port and rule', () => {
    const { work, noticed } = openBoxWork()
    const notices = new BoxNotices(work, box)
    for (let count = 0; count < 3; count += 1) notices.denied(aDecision({ text: 'Not a.test.' }))
    notices.denied(aDecision({ port: 80, text: 'Not by 80.' }))
    notices.denied(aDecision({ rule: 'sni', text: 'Not so.' }))
    expect(noticed()).toEqual([
      {
        text: 'Not a.test.',
        data: expect.objectContaining({ host: 'a.test', port: 443, rule: 'no rule', box: box.name }),
      },
      { text: 'Not by 80.', data: expect.objectContaining({ port: 80 }) },
      { text: 'Not so.', data: expect.objectContaining({ rule: 'sni' }) },
    ])
  })

  it.each([
    ['up', 'The secret token (base64) was found in a request, which was blocked.'],
    ['down', 'The secret token (base64) was found in an answer, and taken out.'],
    ['output', 'The secret token (base64) was found in the output, and taken out.'],
  ] as const)('is a secret that was found (%s), once', (way, text) => {
    const { work, noticed } = openBoxWork()
    const notices = new BoxNotices(work, box)
    notices.leaked({ secret: 'token', way, encoding: 'base64' })
    notices.leaked({ secret: 'token', way, encoding: 'base64' })
    expect(noticed().map((each) => each.text)).toEqual([text])
  })

  it('ends after twenty, with a word on where the rest is; the task goes on', () => {
    const { work, noticed, task } = openBoxWork()
    const notices = new BoxNotices(work, box)
    for (let count = 0; count < 100; count += 1) notices.denied(aDecision({ host: `x${count}.test` }))
    expect(noticed()).toHaveLength(20)
    expect(
      noticed()
        .map(({ text }) => text.includes('egress log'))
        .indexOf(true),
    ).toBe(19)
    expect(task().status).toBe('RUNNING')
  })

  it('is a secret also where so much was denied before, so that a box cannot hide it', () => {
    const { work, noticed } = openBoxWork()
    const notices = new BoxNotices(work, box)
    for (let count = 0; count < 100; count += 1) notices.denied(aDecision({ host: `x${count}.test` }))
    notices.leaked({ secret: 'token', way: 'output', encoding: 'raw' })
    expect(noticed().at(-1)?.text).toMatch(/^The secret token \(raw\) was found in the output/)
  })
})
