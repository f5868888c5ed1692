import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { program } from '../../support/program.ts'

/** In a process of its own: this one may have loaded the library before. */
it('the library is loaded without what is never used of it, and talks all the same', () => {
  using script = program(new URL('programs/load.ts', import.meta.url))
  const said = execFileSync(process.execPath, [script.file], { encoding: 'utf8' })
  const { packages, refused } = JSON.parse(said) as { packages: string[]; refused: unknown }
  expect(refused).toBe('ENOENT')
  expect(packages).toEqual(expect.arrayContaining(['dockerode', 'docker-modem']))
  // What only these need shows that they themselves were not run.
  for (const unused of ['protobufjs', 'asn1', 'cpu-features']) expect(packages).not.toContain(unused)
})
