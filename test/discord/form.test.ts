import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { program } from '../support/program.ts'

/** In a process of its own: this one may have loaded discord.js, and its undici, before. */
it('files arrive also where a command has talked to another process first, so that the undici of src/client is loaded', () => {
  using script = program(new URL('programs/files.ts', import.meta.url))
  const said = execFileSync(process.execPath, [script.file], { encoding: 'utf8' })
  expect(JSON.parse(said)).toEqual({
    isFirst: true,
    sent: [{ content: 'Done.', files: [{ name: 'a.diff', text: '+ “é” 🚣\n' }] }],
  })
})
