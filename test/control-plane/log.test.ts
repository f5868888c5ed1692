import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openLog } from '../../control-plane/log.ts'

const lines = (write: (log: ReturnType<typeof openLog>) => void): Record<string, unknown>[] => {
  const data = mkdtempSync(join(tmpdir(), 'cofferdam-log-'))
  write(openLog(data, 'info', 'silent'))
  const text = readFileSync(join(data, 'logs', 'cofferdam.log'), 'utf8')
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('the log', () => {
  it.each([
    [{ token: 'hunter2' }],
    [{ request: { authorization: 'Bearer hunter2' } }],
    [{ config: { discord: { token: 'hunter2' } } }],
    [{ headers: { 'x-api-key': 'hunter2' } }],
    [{ spec: { env: { SOME_KEY: 'hunter2' } } }],
    [{ apiKey: 'hunter2', password: 'hunter2', cookie: 'hunter2', secret: 'hunter2', nonce: 'hunter2' }],
  ])('does not tell the secret in %j', (fields) => {
    const [line] = lines((log) => log.info(fields, 'said'))
    expect(JSON.stringify(line)).not.toContain('hunter2')
    expect(JSON.stringify(line)).toContain('[redacted]')
  })

  it('carries task, step and attempt on every line of a child, and tells the rest', () => {
    const [line] = lines((log) =>
      log.child({ task: 'abcdefghij', step: 2, attempt: 1 }).warn({ box: 'b' }, 'planned'),
    )
    expect(line).toMatchObject({
      task: 'abcdefghij',
      step: 2,
      attempt: 1,
      box: 'b',
      msg: 'planned',
      level: 40,
    })
  })

  it('tells the message of an error', () => {
    const [line] = lines((log) => log.error({ err: new Error('no space') }, 'failed'))
    expect(line).toMatchObject({ err: { message: 'no space' } })
  })
})
