import type { Command } from 'commander'
import { readFileSync } from 'node:fs'
import { publicKeyOf } from '../../domain/attestation.ts'
import { Failure, messageOf } from '../../domain/failure.ts'
import { withControlPlane } from '../connection.ts'
import { verificationLines } from '../render/verification.ts'
import {
  common,
  type CommonOptions,
  idOf,
  print,
  printJson,
  several,
  type Shell,
  targetOf,
} from './common.ts'

interface VerifyOptions extends CommonOptions {
  readonly key?: readonly string[]
  readonly exportKey?: true
}

export function verifyCommand(program: Command, shell: Shell): void {
  common(program.command('verify [task]').description('check a task against its signed attestations'))
    .option('--key <file>', 'trust this public key, not the own one; may be repeated', several)
    .option('--export-key', 'print the public key that attestations are signed with')
    .action(async (text: string | undefined, options: VerifyOptions) => {
      if (options.exportKey === true) await exportKey(shell, options)
      else if (text === undefined)
        throw new Failure('bad_request', 'Name a task: `cofferdam task list` shows them.')
      else await verify(shell, text, options)
    })
}

async function exportKey(shell: Shell, options: VerifyOptions): Promise<void> {
  const { world } = shell
  const key = await withControlPlane(targetOf(shell, options, 'verify'), (client) => client.attestationKey())
  if (options.json === true) printJson(world, key)
  else world.terminal.out(key.pem)
  shell.end('done')
}

async function verify(shell: Shell, text: string, options: VerifyOptions): Promise<void> {
  const { world } = shell
  const id = idOf(text)
  const keys = (options.key ?? []).map(readKey)
  const found = await withControlPlane(targetOf(shell, options, 'verify'), (client) =>
    client.verify(id, keys),
  )
  if (options.json === true) printJson(world, found)
  else print(world, verificationLines(found, world.terminal.paint))
  shell.end(found.holds ? 'done' : 'failed')
}

/** A public key in DER. */
function readKey(file: string): Buffer {
  const key = publicKeyOf(read(file))
  if (key !== null) return key.export({ type: 'spki', format: 'der' })
  throw new Failure(
    'bad_request',
    `${file} is no Ed25519 public key in PEM: give a file that \`cofferdam verify --export-key\` has printed.`,
  )
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Failure('bad_request', `The key ${file} cannot be read (${messageOf(error)}): name another.`)
  }
}
