import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { applies } from '../support/scripted-plane.ts'
import { type ScriptedMachine, scriptedMachine } from '../support/scripted-world.ts'

let machine: ScriptedMachine
let file: string
beforeEach(() => {
  machine = scriptedMachine(applies)
  file = join(machine.folder, 'cofferdam.yaml')
})
afterEach(() => machine.remove())

it.each([
  ['concurrency: 3\n', 0, /cofferdam\.yaml can be used\.\nThe data folder is .*data\.\n/],
  ['\nconcurency: 3\n', 2, /Line 2: there is no key "concurency": remove it or correct the spelling/],
])('config check of %j ends with %i', async (text, code, said) => {
  writeFileSync(file, text)
  const ended = await machine.run(['config', 'check', '--config', file])
  expect([ended.code, ended.out + ended.error]).toEqual([code, expect.stringMatching(said)])
})

it('config check says where the file is, for machines too', async () => {
  writeFileSync(file, '')
  const { out } = await machine.run(['config', 'check', '--config', file, '--json'])
  expect(JSON.parse(out)).toEqual({ file, dataFolder: machine.data })
})

it('config schema is JSON that says what each key means', async () => {
  const { code, out } = await machine.run(['config', 'schema'])
  expect([code, JSON.parse(out)]).toEqual([
    0,
    expect.objectContaining({
      title: 'cofferdam.yaml',
      additionalProperties: false,
      properties: expect.objectContaining({
        concurrency: expect.objectContaining({
          default: 2,
          description: 'How many tasks run at once, from 1 to 64.',
        }) as object,
      }) as object,
    }),
  ])
})
