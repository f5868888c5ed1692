import { setTimeout as sleep } from 'node:timers/promises'
import type { Finding } from '../../../src/domain/control-plane.ts'
import type { Task } from '../../../src/domain/task.ts'
import { applies, beginStep, blocks, type Script } from '../scripted-plane.ts'
import { anOwner } from '../task.ts'
import { until } from '../until.ts'
import type { DashboardLab } from './lab.ts'

const findings: readonly Finding[] = [
  { name: 'engine', state: 'ok', text: 'Docker 20.10.24, runc' },
  { name: 'posture', state: 'warning', text: 'standard: no user namespaces. Tasks run here all the same.' },
  { name: 'image', state: 'ok', text: 'sha256:4be0…' },
  { name: 'disk', state: 'ok', text: '81920 MiB free in /home/ada/.local/share/cofferdam/.workspace' },
  { name: 'outbox', state: 'ok', text: '0 waiting' },
  { name: 'discord', state: 'ok', text: 'connected as Cofferdam' },
]

const diff = `diff --git a/src/receipt.py b/src/receipt.py
index 3b18e51..a9c1f42 100644
--- a/src/receipt.py
+++ b/src/receipt.py
@@ -1,8 +1,11 @@
 """Receipts of the shop."""
+from decimal import Decimal
 
 
 def total(lines):
-    return sum(price * count for price, count in lines)
+    """The sum of all lines, to the cent."""
+    amount = sum(Decimal(price) * count for price, count in lines)
+    return amount.quantize(Decimal("0.01"))
 
 
 def line(name, price, count):
diff --git a/test_receipt.py b/test_receipt.py
index 1c59427..5b2e2ef 100644
--- a/test_receipt.py
+++ b/test_receipt.py
@@ -4,3 +4,7 @@ from src.receipt import total
 
 def test_total():
     assert total([("0.10", 3)]) == Decimal("0.30")
+
+
+def test_total_of_nothing():
+    assert total([]) == Decimal("0.00")
`

const log = `== agent box of step 2, attempt 1 ==
» Read src/receipt.py
The sum is made of floats, so 0.1 + 0.2 is not 0.3. I will use decimals.
» Edit src/receipt.py
» Bash python3 -m pytest -q
..                                                                  [100%]
2 passed in 0.03s
`

/** Goals as people write them, and tasks on them in every state. */
export function anInstallation() {
  const script: Script = (turn) => {
    if (turn.task.goal.startsWith('Move')) return blocks(turn)
    if (!turn.task.goal.startsWith('Port')) return applies(turn)
    beginStep(turn, 2)
    return undefined
  }
  const fill = async (lab: DashboardLab) => {
    const on = (repository: string) => ({ repository, test: 'python3 -m pytest -q' })
    const make = async (goal: string, repository: string): Promise<Task> => {
      const task = await lab.submit(goal, on(repository))
      lab.plane.attend(task.id)
      await sleep(2)
      return task
    }
    const applied = await make('Make the totals of receipts exact to the cent', '/home/ada/shop')
    await make('Write tests for the parser of dates', '/home/ada/calendar')
    await make('Move the settings into one file', '/home/ada/calendar')
    const running = await make('Port the command line to the new parser', '/home/ada/tools')
    await lab.submit('Speed up the search of the catalogue', on('/home/ada/shop'))
    await lab.submit('Explain each error with what to do about it', on('/home/ada/tools'))
    const stopped = await lab.submit('Rename the module of prices', on('/home/ada/shop'))
    await lab.plane.act(stopped.id, { act: 'stop', text: 'It is to keep its name.' }, anOwner, null)
    const draft = await lab.submit('Run sudo make install and fix what fails', on('/home/ada/tools'))
    await until(() => ['APPLIED', 'BLOCKED'].includes(lab.plane.task(applied.id).status))
    await until(() => lab.plane.counts().APPLIED === 2 && lab.plane.counts().BLOCKED === 1)
    lab.plane.store.heartbeat(running.id, lab.plane.task(running.id).fence, {
      leaseUntil: Date.now() + 60_000,
      chargeMs: 0,
      chargeTokens: 182_400,
      chargeCostUsd: 0.74,
      step: 2,
      attempt: 1,
    })
    await lab.plane.review(
      applied.id,
      {
        text: null,
        comments: [{ path: 'src/receipt.py', line: 8, text: 'Say which way halves are rounded.' }],
        requestChanges: false,
        budget: {},
      },
      anOwner,
      null,
    )
    lab.left.diff = diff
    lab.left.log = log
    lab.plane.store.recordEgress([
      {
        taskId: applied.id,
        box: 'step-1',
        id: 1,
        at: Date.now(),
        kind: 'upstream',
        host: 'anthropic',
        port: null,
        method: 'POST',
        path: '/v1/messages',
        verdict: 'allowed',
        rule: 'anthropic',
        text: 'The model of the agent.',
        address: '198.51.100.7',
        bytesUp: 18_250,
        bytesDown: 5120,
      },
      {
        taskId: applied.id,
        box: 'step-1',
        id: 2,
        at: Date.now(),
        kind: 'tunnel',
        host: 'example.com',
        port: 443,
        method: null,
        path: null,
        verdict: 'denied',
        rule: 'no rule',
        text: 'No rule allows example.com: name it under policy.egress for a new task.',
        address: null,
        bytesUp: null,
        bytesDown: null,
      },
    ])
    return { draft, running, applied }
  }
  return { script, behaviour: { findings }, fill }
}
