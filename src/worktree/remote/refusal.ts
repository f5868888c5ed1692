import { Failure } from '../../domain/failure.ts'
import { KnownSecrets } from '../../domain/leak.ts'
import { believeIt } from '../../domain/outside.ts'
import type { RemoteSettings } from '../../domain/remote.ts'
import { diskFailure } from '../disk.ts'

/** The beginning of every sentence about a remote. */
export function remoteName({ name, url }: RemoteSettings): string {
  return `The remote of ${name} (${url})`
}

/**
 * What git said of a remote, in a sentence with what to do. `Failure('remote')` where it may be otherwise in a while,
 * `repository` where somebody has to mend it. A server may say again what it was sent: no secret is in the sentence.
 */
export function remoteFailure(remote: RemoteSettings, err: string): Failure {
  const disk = diskFailure(err)
  if (disk !== null) return disk
  const said = withoutSecrets(remote, err)
  const meaning = meanings.find(({ when }) => when.test(said)) ?? silent
  const { what, next = '' } = meaning.says(remote, said)
  const reason = reasonIn(said)
  return new Failure(
    meaning.code,
    `${remoteName(remote)} ${what}${reason === '' ? '' : ` (${reason})`}. ${next}`.trim(),
  )
}

interface Meaning {
  readonly when: RegExp
  readonly code: 'remote' | 'repository'
  says(remote: RemoteSettings, said: string): { readonly what: string; readonly next?: string }
}

const silent: Meaning = { when: /^/, code: 'remote', says: () => ({ what: 'does not answer as it should' }) }

const twice = /dst refspec (refs\/\S+) matches more than one/

/** By what git and its helpers print; the first that fits. */
const meanings: readonly Meaning[] = [
  {
    when: /returned error: 30[1278]|unable to update url base from redirection/,
    code: 'repository',
    says: ({ name }) => ({
      what: 'sends elsewhere, which is not followed',
      next: `Write the new address as repositories.${name}.url.`,
    }),
  },
  {
    when: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/,
    code: 'repository',
    says: ({ name }) => ({
      what: 'is not the host that its key is known of',
      next: `Put its key into the file of repositories.${name}.ssh.knownHosts, once you have made sure that it is its own.`,
    }),
  },
  {
    when: /Authentication failed|could not read (?:Username|Password)|returned error: 40[13]|Permission denied|invalid credentials|UNPROTECTED PRIVATE KEY/i,
    code: 'repository',
    says: ({ name, login, ssh }) => {
      if (login !== null)
        return {
          what: 'does not take the credentials',
          next: `Renew what is in ${login.from}, which repositories.${name}.login names.`,
        }
      return ssh === null
        ? {
            what: 'wants to know who asks',
            next: `Name the credentials as repositories.${name}.login.`,
          }
        : { what: 'does not take the key', next: `Look at repositories.${name}.ssh.key.` }
    },
  },
  {
    when: /[Rr]epository .*not found|returned error: 404|does not appear to be a git repository|does not exist/,
    code: 'repository',
    says: ({ name }) => ({
      what: 'has no such repository, or does not show it to these credentials',
      next: `Look at repositories.${name}.`,
    }),
  },
  {
    when: twice,
    code: 'repository',
    says: (_, said) => {
      const ref = twice.exec(said)?.[1] ?? ''
      return {
        what: `has another branch or tag whose own name is ${ref}`,
        next: `Remove or rename it there: in full it is refs/heads/${ref} or refs/tags/${ref}.`,
      }
    },
  },
  {
    when: /certificate/i,
    code: 'repository',
    says: () => ({ what: 'has a certificate that is not trusted here', next: believeIt }),
  },
  {
    when: /Could not resolve|Failed to connect|Connection (?:refused|timed out|reset|closed)|[Tt]imed? ?out|Operation too slow|No route to host|Network is unreachable/,
    code: 'remote',
    says: () => ({ what: 'does not answer' }),
  },
]

/** What a server may have said again of what it was sent. */
export function withoutSecrets({ login }: RemoteSettings, text: string): string {
  if (login?.password == null) return text
  const { name } = login.password
  return new KnownSecrets([{ name, value: login.password.reveal() }]).redact(text)
}

function reasonIn(said: string): string {
  const lines = said
    .split(/[\r\n]+/)
    .map((line) => line.replaceAll(/\p{Cc}+/gu, ' ').trim())
    .filter((line) => /^(?:fatal|error|remote|ssh|git|Host|Permission)\b/i.test(line))
    .filter((line) => !/^remote: (?:Counting|Compressing|Enumerating|Total)\b/.test(line))
  return [...new Set(lines)]
    .slice(0, 2)
    .map((line) => line.replace(/^(?:fatal|error): /, '').replace(/\.$/, ''))
    .join('; ')
    .slice(0, 300)
}
