import type { Command } from 'commander'
import { type Role, roles } from '../../domain/caller.ts'
import { Failure } from '../../domain/failure.ts'
import { type Scope, scopes, usualScopes } from '../../domain/scopes.ts'
import { Connection, withControlPlane } from '../connection.ts'
import { moment, plain } from '../render/text.ts'
import { tokenLines } from '../render/tokens.ts'
import { expiryOf } from '../since.ts'
import { common, type CommonOptions, print, printJson, type Shell, speller, targetOf } from './common.ts'
import { someOf } from './filters.ts'

interface CreateOptions extends CommonOptions {
  readonly role: string
  readonly scopes?: string
  readonly expires: string
}

/** Who may call over TCP. */
export function tokenCommand(program: Command, shell: Shell): void {
  const token = program.command('token').description('who may use the API over TCP')
  createCommand(token, shell)
  const { world } = shell
  common(token.command('list').description('the tokens, newest first, without their secrets')).action(
    async (options: CommonOptions) => {
      const tokens = await withControlPlane(targetOf(shell, options, 'token list'), (client) =>
        client.tokens(),
      )
      if (options.json === true) printJson(world, { tokens })
      else if (tokens.length === 0)
        print(world, [`No tokens yet: \`${speller(options)('token create NAME')}\` makes one.`])
      else print(world, tokenLines(tokens, world.now()))
      shell.end('done')
    },
  )
  common(
    token.command('revoke <name>').description('make a token good for nothing, by its name or id'),
  ).action(async (name: string, options: CommonOptions) => {
    await using connection = await Connection.visit(targetOf(shell, options, 'token revoke'))
    // By its id it can be revoked twice; a name is free again after the first time.
    const tokens = await connection.persist((client) => client.tokens())
    const meant =
      tokens.find(({ id }) => id === name) ??
      tokens.find((each) => each.name === name && each.revokedAt === null)
    const revoked = await connection.persist((client) => client.revokeToken(meant?.id ?? name))
    if (options.json === true) printJson(world, { token: revoked })
    else print(world, [`The token ${plain(revoked.name)} is revoked.`])
    shell.end('done')
  })
}

function createCommand(token: Command, shell: Shell): void {
  const { world } = shell
  common(token.command('create <name>').description('make a token; its secret is shown this once'))
    .option('--role <role>', `one of ${roles.join(', ')}`, 'operator')
    .option('--scopes <list>', `some of ${scopes.join(', ')} (default: what the role can use)`)
    .option('--expires <time>', 'in 12h, 90d or 8w, on 2026-12-31, or never', '90d')
    .action(async (name: string, options: CreateOptions) => {
      const role = roleOf(options.role)
      const request = {
        name,
        role,
        scopes: scopesOf(options.scopes, role),
        expiresAt: expiryOf(options.expires, world.now()),
      }
      // Not tried again where no answer comes: what was made then, nobody has the secret of.
      await using connection = await Connection.visit(targetOf(shell, options, 'token create'))
      const made = await connection.client.createToken(request)
      if (options.json === true) printJson(world, made)
      else {
        const { expiresAt } = made.token
        const until = expiresAt === null ? 'until it is revoked' : `until ${moment(expiresAt)}`
        const what = `Token ${plain(name)}: ${role} for ${request.scopes.join(', ')}, good ${until}.`
        world.terminal.error(`${what} This is shown once; COFFERDAM_TOKEN is where it is looked for.\n`)
        world.terminal.out(`${made.secret}\n`)
      }
      shell.end('done')
    })
}

function roleOf(text: string): Role {
  const role = roles.find((known) => known === text)
  if (role !== undefined) return role
  throw new Failure('bad_request', `--role takes one of ${roles.join(', ')}, not ${text}.`)
}

function scopesOf(text: string | undefined, role: Role): readonly Scope[] {
  if (text === undefined) return usualScopes[role]
  return someOf('--scopes', text, scopes)
}
