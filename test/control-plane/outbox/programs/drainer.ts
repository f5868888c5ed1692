import { z } from 'zod'
import { Lane } from '../../../../control-plane/outbox/lane.ts'
import { openStore } from '../../../../control-plane/store/open.ts'
import { ticks } from '../../../../control-plane/ticks.ts'
import { webhook } from '../../../../src/webhooks/webhook.ts'
import { toReceiver } from '../../../support/receiver.ts'
import { hostPath } from '../../store/home.ts'

// Sends what waits for one webhook, under leases of so many ms, until it is killed.
const [file, url, lease] = z.tuple([z.string(), z.url(), z.coerce.number()]).parse(process.argv.slice(2))
const store = openStore(hostPath(file))
const log = { info: () => undefined, warn: () => undefined }
const lane = new Lane(webhook(toReceiver(url), { clock: Date.now }), {
  outbox: store.outbox,
  clock: Date.now,
  ticks,
  random: Math.random,
  log,
  limits: { sendMs: lease / 2, leaseMs: lease, lookMs: 20, brokenMs: 20 },
})
lane.wake()
console.log('ready')
setInterval(() => lane.wake(), 20)
