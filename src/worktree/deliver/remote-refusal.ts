import { believeIt } from '../../domain/outside.ts'
import { type PushTrouble, pushTrouble } from './push-trouble.ts'

/** What a far end may say of itself, characters. */
const most = 300

type Text = (said: string, branch: string) => string

const moved: Text = (_, branch) =>
  `somebody moved ${branch} there at this very moment. Look at it there, then try again`
const hindered: Text = (said) => `it takes no such push${said}. Mend that there, then try again`

const texts: Readonly<Record<PushTrouble, Text>> = {
  full: (said) => `its disk is full, or nothing can be written there${said}. Make room there, then try again`,
  checkedOut: hindered,
  moved,
  backward: moved,
  hindered,
  denied: (said) => `the token may not push there${said}. Give it that right, then try again`,
  readOnly: (said) =>
    `it does not let this key push${said}. Look at "ssh.key", or give it that right there, then try again`,
}

/** What is about getting there at all; the first that fits counts. */
const ways: readonly { readonly says: RegExp; readonly text: Text }[] = [
  {
    says: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/,
    text: () => 'it is not the host that its key is known of. Look at "ssh.knownHosts", then try again',
  },
  {
    says: /Permission denied \(|UNPROTECTED PRIVATE KEY/,
    text: texts.readOnly,
  },
  {
    says: /Authentication failed|could not read (?:Username|Password)|error: 401/,
    text: () => 'it does not take the token. Put one in its place that may push there, and start anew',
  },
  {
    says: /error: 404|[Rr]epository not found|not found|does not appear to be a git repository/,
    text: () => 'there is no such repository, or the token may not see it. Name another remote',
  },
  {
    says: /redirect|error: 3\d\d/,
    text: () => 'it sends whoever asks to another address. Name that one as the remote',
  },
  {
    says: /SSL|certificate|TLS/i,
    text: () => `its certificate is not one that is trusted here. ${believeIt.slice(0, -1)}`,
  },
  {
    says: /Could not resolve|Failed to connect|Connection (?:refused|closed)|Couldn't connect|timed out|too slow|Operation too slow|reset by peer|Empty reply|hung up|error: 5\d\d/,
    text: () => 'it cannot be reached, or does not answer. Try again later',
  },
]

/**
 * Why a push came to nothing, in one sentence and what to do next.
 * @param out what git printed with `--porcelain`
 * @param err the rest, with what the far end said behind `remote:`
 */
export function remoteRefusal(url: string, branch: string, out: string, err: string): string {
  const all = `${out}\n${err}`
  const said = saidBy(err)
  const trouble = pushTrouble(all)
  const text = trouble === null ? ways.find(({ says }) => says.test(all))?.text : texts[trouble]
  const why = text?.(said, branch) ?? `git says: ${lastOf(err)}. Mend that, then try again`
  return `The push to ${url} came to nothing: ${why}.`
}

/** What the far end says itself, in quotes; '' where it says nothing. */
export function saidBy(err: string): string {
  const lines = err
    .split(/[\r\n]+/)
    .flatMap((line) => (/^remote: ?/.test(line) ? [line.replace(/^remote: ?/, '').trim()] : []))
    .filter((line) => /[\p{L}\p{N}]/u.test(line))
  return lines.length === 0 ? '' : ` (it says: ${JSON.stringify(plain(lines.join(' ')))})`
}

function lastOf(err: string): string {
  const lines = err.split(/[\r\n]+/).filter((line) => line.trim() !== '' && !line.startsWith('hint:'))
  return JSON.stringify(plain(lines.slice(-2).join(' ')))
}

function plain(text: string): string {
  const shown = text
    .replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return shown.length <= most ? shown : `${shown.slice(0, most - 1)}…`
}
