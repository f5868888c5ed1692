import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Attestation, SignedAttestation } from '../../domain/attestation.ts'
import type { Task } from '../../domain/task.ts'
import type { Verification } from '../../domain/verification/verify.ts'
import { get } from '../api.ts'
import { useLoaded, useSending } from '../hooks.ts'
import { Problem, Table, Waiting } from '../parts.tsx'
import { stepName } from '../words.ts'

/** The signed chain of what was enforced, and what verifying it comes to. */
export function Proof({ task: { id, version } }: { readonly task: Task }) {
  const loaded = useLoaded(
    async () =>
      (await get<{ attestations: readonly SignedAttestation[] }>(`/v1/tasks/${id}/attestations`))
        .attestations,
    [id, version],
  )
  const [found, setFound] = useState<Verification | null>(null)
  const sending = useSending()
  const verify = (): void =>
    sending.send(async () => setFound(await get<Verification>(`/v1/tasks/${id}/verification`)))
  return (
    <>
      <p class="buttons">
        <button type="button" class="main" onClick={verify} aria-disabled={sending.busy}>
          Verify now
        </button>
      </p>
      <div role="status">{found !== null && <Found found={found} />}</div>
      <Problem text={sending.error} />
      <Waiting of={loaded}>
        {(attestations) =>
          attestations.length === 0 ? (
            <p class="faint">Nothing is attested yet.</p>
          ) : (
            <Table
              label="Attestations"
              head={['No.', 'About', 'Came to', 'Walls', 'Hash']}
              rows={attestations.map((each) => [`${each.seq}`, cellsOf(each)] as const)}
            />
          )
        }
      </Waiting>
    </>
  )
}

function Found({ found: { holds, findings, notes, attestations } }: { readonly found: Verification }) {
  return (
    <>
      <p class={holds ? 'good' : 'bad'}>
        {holds
          ? `All holds: record, branch and ${attestations} attestations agree.`
          : 'Something does not hold:'}
      </p>
      <ul>
        {findings.map(({ where, text }) => (
          <li key={`${where} ${text}`}>
            {where}: {text}
          </li>
        ))}
        {notes.map((note) => (
          <li key={note} class="faint">
            {note}
          </li>
        ))}
      </ul>
    </>
  )
}

function cellsOf({ seq, body, hash }: SignedAttestation): readonly ComponentChildren[] {
  const said = JSON.parse(body) as Attestation
  return [
    seq,
    said.kind === 'step' ? `${stepName(said.step)}, attempt ${said.attempt}` : said.kind,
    cameTo(said),
    <Walls said={said} />,
    <code>{hash.slice(0, 16)}</code>,
  ]
}

/** How strong the box was, and what of the whole was missing, which is a list of sentences. */
function Walls({ said }: { readonly said: Attestation }) {
  if (said.kind !== 'step' || said.posture === null) return <>–</>
  const { level, missing } = said.posture
  if (missing.length === 0) return <>{level}</>
  return (
    <details>
      <summary>
        {level}, {missing.length} missing
      </summary>
      <ul>
        {missing.map((what) => (
          <li key={what}>{what}</li>
        ))}
      </ul>
    </details>
  )
}

function cameTo(said: Attestation): string {
  if (said.kind === 'closing') return said.status.toLowerCase()
  if (said.kind === 'interim') return '–'
  const test = said.test === null ? 'no test' : said.test.passed ? 'test passed' : 'test failed'
  return `${said.outcome}, ${test}`
}
