import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  GatewayCloseCodes,
  GatewayDispatchEvents,
  GatewayIntentBits,
  GatewayOpcodes,
  type GatewayReceivePayload,
} from 'discord-api-types/v10'
import { WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'
import { guildShown } from './payloads.ts'
import type { World } from './world.ts'

const said = z.looseObject({ op: z.enum(GatewayOpcodes), d: z.unknown().optional() })
const identify = z.looseObject({ token: z.string(), intents: z.number() })
const resume = z.looseObject({ token: z.string(), session_id: z.string(), seq: z.number() })

interface Session {
  readonly id: string
  readonly intents: number
  seq: number
  readonly sent: { readonly seq: number; readonly t: GatewayDispatchEvents; readonly d: unknown }[]
  socket: WebSocket | null
}

export interface GatewayOptions {
  readonly world: World
  readonly token: () => string
  readonly heartbeat: number
}

const privileged =
  GatewayIntentBits.MessageContent | GatewayIntentBits.GuildMembers | GatewayIntentBits.GuildPresences

/** The gateway: one shard, sessions that can be resumed, and what can go wrong with them. */
export class Gateway {
  /** Sessions begun and taken up again: a bot that logs in again and again shows here. */
  identifies = 0
  resumes = 0
  heartbeats = 0
  /** The privileged intents that are switched on for the application. */
  allowed: number = privileged
  /** Heartbeats are not acknowledged while this is set. */
  silent = false
  /** Connections that were made, by bots that log in or not. */
  connections = 0
  /** Logins are not answered while this is set. */
  mute = false
  /** Connections are closed at once with this code while it is set. */
  refuseWith: number | null = null
  /** How many events a resume brings a second time. */
  repeatOnResume = 0
  /** Whether a session may be resumed. */
  resumable = true
  readonly #options: GatewayOptions
  readonly #server: Server = createServer()
  readonly #sockets = new WebSocketServer({ server: this.#server })
  readonly #sessions = new Map<string, Session>()

  constructor(options: GatewayOptions) {
    this.#options = options
    this.#sockets.on('connection', (socket) => this.#greet(socket))
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get connected(): boolean {
    return [...this.#sessions.values()].some(({ socket }) => socket !== null)
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate()
    await new Promise((resolve) => this.#sockets.close(resolve))
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Tells every session of an event, those too that are away and may come back. */
  dispatch(t: GatewayDispatchEvents, event: unknown, needs = 0): void {
    this.dispatchTo(t, () => event, needs)
  }

  /** The same where what they are told depends on their intents. */
  dispatchTo(t: GatewayDispatchEvents, eventFor: (intents: number) => unknown, needs: number): void {
    for (const session of this.#sessions.values()) {
      if ((session.intents & needs) !== needs) continue
      const d = eventFor(session.intents)
      session.seq += 1
      session.sent.push({ seq: session.seq, t, d })
      this.#send(session.socket, { op: GatewayOpcodes.Dispatch, s: session.seq, t, d })
    }
  }

  /** The connection is gone, without a word. */
  drop(): void {
    for (const socket of this.#sockets.clients) socket.terminate()
  }

  /** The connection is closed with a code; `GatewayCloseCodes` has them. */
  closeWith(code: number): void {
    for (const socket of this.#sockets.clients) socket.close(code)
  }

  askToReconnect(): void {
    for (const { socket } of this.#sessions.values())
      this.#send(socket, { op: GatewayOpcodes.Reconnect, d: null })
  }

  invalidate(mayResume: boolean): void {
    for (const { socket } of this.#sessions.values())
      this.#send(socket, { op: GatewayOpcodes.InvalidSession, d: mayResume })
    if (!mayResume) this.#sessions.clear()
  }

  #greet(socket: WebSocket): void {
    this.connections += 1
    if (this.refuseWith !== null) {
      socket.close(this.refuseWith)
      return
    }
    socket.on('error', () => undefined)
    socket.on('close', () => {
      for (const session of this.#sessions.values()) if (session.socket === socket) session.socket = null
    })
    socket.on('message', (data: Buffer) => this.#hear(socket, said.parse(JSON.parse(data.toString()))))
    this.#send(socket, { op: GatewayOpcodes.Hello, d: { heartbeat_interval: this.#options.heartbeat } })
  }

  #hear(socket: WebSocket, { op, d }: z.infer<typeof said>): void {
    if (op === GatewayOpcodes.Heartbeat) {
      this.heartbeats += 1
      if (!this.silent) this.#send(socket, { op: GatewayOpcodes.HeartbeatAck })
    } else if (op === GatewayOpcodes.Identify) this.#identify(socket, identify.parse(d))
    else if (op === GatewayOpcodes.Resume) this.#resume(socket, resume.parse(d))
  }

  #identify(socket: WebSocket, { token, intents }: z.infer<typeof identify>): void {
    this.identifies += 1
    if (token !== this.#options.token()) return socket.close(GatewayCloseCodes.AuthenticationFailed)
    if ((intents & privileged & ~this.allowed) !== 0) return socket.close(GatewayCloseCodes.DisallowedIntents)
    if (this.mute) return
    const { world } = this.#options
    const session: Session = { id: world.id(), intents, seq: 0, sent: [], socket }
    this.#sessions.clear()
    this.#sessions.set(session.id, session)
    this.dispatch(GatewayDispatchEvents.Ready, {
      v: 10,
      user: world.bot,
      guilds: [{ id: world.guildId, unavailable: true }],
      session_id: session.id,
      resume_gateway_url: this.url,
      application: { id: world.applicationId, flags: 0 },
    })
    this.dispatch(GatewayDispatchEvents.GuildCreate, guildShown(world))
  }

  #resume(socket: WebSocket, { token, session_id: id, seq }: z.infer<typeof resume>): void {
    this.resumes += 1
    if (token !== this.#options.token()) return socket.close(GatewayCloseCodes.AuthenticationFailed)
    const session = this.#sessions.get(id)
    if (session === undefined || !this.resumable) {
      return this.#send(socket, { op: GatewayOpcodes.InvalidSession, d: false })
    }
    session.socket = socket
    for (const { seq: s, t, d } of session.sent) {
      if (s > seq - this.repeatOnResume && t !== GatewayDispatchEvents.Ready)
        this.#send(socket, { op: GatewayOpcodes.Dispatch, s, t, d })
    }
    session.seq += 1
    this.#send(socket, {
      op: GatewayOpcodes.Dispatch,
      s: session.seq,
      t: GatewayDispatchEvents.Resumed,
      d: {},
    })
  }

  #send(
    socket: WebSocket | null,
    payload: Partial<GatewayReceivePayload> | Readonly<Record<string, unknown>>,
  ): void {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(payload))
  }
}
