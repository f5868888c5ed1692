import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** An authority as a company has its own, made for one test. */
export interface Authority extends Disposable {
  /** The file of its certificate, in PEM. */
  readonly file: string
  /** Of a server that it vouches for, with such names (`IP:127.0.0.1`, `DNS:forge.test`), in PEM. */
  vouch(names: string): { readonly cert: string; readonly key: string }
}

export function anAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-authority-'))
  const at = (name: string): string => join(folder, name)
  const request = (name: string, more: readonly string[]): void => {
    const key = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      at(`${name}.key`),
    ]
    const made = [
      'req',
      '-x509',
      '-days',
      '1',
      '-subj',
      `/CN=${name}`,
      ...key,
      '-out',
      at(`${name}.pem`),
      ...more,
    ]
    execFileSync('openssl', made, { stdio: 'ignore' })
  }
  request('authority', ['-addext', 'keyUsage=critical,keyCertSign'])
  return {
    file: at('authority.pem'),
    vouch(names) {
      const by = ['-CA', at('authority.pem'), '-CAkey', at('authority.key')]
      const what = ['basicConstraints=critical,CA:FALSE', `subjectAltName=${names}`]
      request('server', [...by, ...what.flatMap((each) => ['-addext', each])])
      return { cert: readFileSync(at('server.pem'), 'utf8'), key: readFileSync(at('server.key'), 'utf8') }
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
