import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BoxNotices } from '../../../control-plane/loop/notices.ts'
import { ShownOutput } from '../../../control-plane/loop/shown-output.ts'
import type { AgentReading } from '../../../src/domain/agent.ts'
import { aBox } from '../../support/box.ts'
import { aPolicy } from '../../support/task.ts'
import { openBoxWork } from './box-work.ts'

const token = 'tok-9f8e7d6c5b4a'
const box = aBox()

function showing(line: AgentReading['line'] = null, spec = box) {
  const opened = openBoxWork({}, { secrets: [{ name: 'token', value: token }] })
  const output = new ShownOutput(opened.work, spec, new BoxNotices(opened.work, spec), line)
  const logged = (): string =>
    readFileSync(join(opened.folder, 'logs', opened.work.task.id, 's001-a001-agent.log'), 'utf8')
  return { ...opened, output, logged }
}

it.each(Array.from({ length: token.length + 1 }, (_, at) => at))(
  'a secret that is cut after %i characters is in neither log nor live output, and is told once',
  async (at) => {
    const { output, logged, shown, noticed } = showing()
    output.write(Buffer.from(`before ${token.slice(0, at)}`))
    output.write(Buffer.from(`${token.slice(at)} after, and again ${token}`))
    await output.end()
    const clean = 'before [redacted:token] after, and again [redacted:token]'
    expect([logged(), shown.join('')]).toEqual([clean, clean])
    expect(noticed().map(({ text }) => text)).toEqual([
      'The secret token (raw) was found in the output, and taken out.',
    ])
  },
)

it('what only begins like a secret is shown at the end', async () => {
  const { output, logged, shown, noticed } = showing()
  output.write(Buffer.from('before tok-9f8e'))
  expect(shown.join('')).toBe('before ')
  await output.end()
  expect([logged(), shown.join(''), noticed()]).toEqual(['before tok-9f8e', 'before tok-9f8e', []])
})

it('characters and lines that come in pieces are whole for those who look on', async () => {
  const { output, shown } = showing()
  for (const byte of Buffer.from('ä🙂\n')) output.write(Buffer.from([byte]))
  await output.end()
  expect(shown.join('')).toBe('ä🙂\n')
})

it('what the engine kept is cleaned without telling of it again', () => {
  const { output, noticed } = showing()
  expect(output.clean(`it is ${token}, or ${Buffer.from(token).toString('hex')}`)).toBe(
    'it is [redacted:token], or [redacted:token]',
  )
  expect(noticed()).toEqual([])
})

describe('what an agent prints for machines', () => {
  const line = (text: string): ReturnType<NonNullable<AgentReading['line']>> =>
    text.startsWith('{') ? [{ kind: 'tool', tool: 'sh', text, paths: [] }] : []

  it('is readable for those who look on and in the log, however it comes, and without what nobody needs', async () => {
    const { output, logged, shown } = showing(line)
    for (const byte of Buffer.from('noise\n{"ä":1}\r\n\n{"b":2}')) output.write(Buffer.from([byte]))
    await output.end()
    const text = '» sh {"ä":1}\n» sh {"b":2}\n'
    expect([logged(), shown.join('')]).toEqual([text, text])
  })

  it('has no secrets either', async () => {
    const { output, logged } = showing(line)
    output.write(Buffer.from(`{"a":"${token.slice(0, 5)}`))
    output.write(Buffer.from(`${token.slice(5)}"}\n`))
    await output.end()
    expect(logged()).toBe('» sh {"a":"[redacted:token]"}\n')
  })

  it('takes no memory where a line never ends, and goes on after it', async () => {
    const seen: number[] = []
    const { output } = showing((text) => {
      seen.push(text.length)
      return []
    })
    for (let i = 0; i < 40; i += 1) output.write(Buffer.alloc(64 * 1024, 'x'))
    output.write(Buffer.from('\nshort\n'))
    await output.end()
    expect(seen).toEqual([5])
  })
})

describe('what is more than its limit', () => {
  const mark = /\n\[\.\.\. the limit of output is reached[^[]*\]\n$/
  const limit = 1024 * 1024
  const small = aBox({ policy: aPolicy({ limits: { ...aPolicy().limits, outputMb: 1 } }) })

  it('is neither in the log nor told; the limit is marked once', async () => {
    const { output, logged, shown } = showing(null, small)
    const chunk = Buffer.alloc(100_000, 'x')
    for (let at = 0; at < 2 * limit; at += chunk.length) output.write(chunk)
    await output.end()
    const text = logged()
    expect([text.replace(mark, '').length, mark.test(text), shown.join('') === text]).toEqual([
      limit,
      true,
      true,
    ])
  })

  it('is read to its end all the same where it is an agent that prints', async () => {
    const read: string[] = []
    const { output, logged } = showing((text) => {
      read.push(text.slice(0, 8))
      return text.startsWith('{') ? [] : [{ kind: 'said', text }]
    }, small)
    const chunk = Buffer.from(`${'y'.repeat(99)}\n`.repeat(1000))
    for (let at = 0; at < 2 * limit; at += chunk.length) output.write(chunk)
    output.write(Buffer.from('{"end":1}'))
    await output.end()
    expect(read.at(-1)).toBe('{"end":1')
    expect(logged()).toMatch(mark)
  })
})

it('a secret that stood escaped in a line is in nothing that was read out of it, and is told', async () => {
  const escaped = `\\u0074${token.slice(1)}`
  const { output, logged, noticed } = showing((text) => [
    { kind: 'said', text: (JSON.parse(text) as { said: string }).said },
  ])
  output.write(Buffer.from(`{"said":"${escaped}"}\n`))
  await output.end()
  expect(logged()).toBe('[redacted:token]\n')
  expect(noticed()).toHaveLength(1)
})
