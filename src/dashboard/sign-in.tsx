import { useState } from 'preact/hooks'
import { signIn, type Who } from './api.ts'
import { useSending } from './hooks.ts'
import { Form, Problem, Send, Title } from './parts.tsx'

interface SignInProps {
  readonly onSignedIn: (who: Who) => void
  /** Whether somebody was signed in here just now, and has not signed out. */
  readonly isOver: boolean
}

/** Asks for a token. It is sent once, for a session, and kept nowhere in the browser. */
export function SignIn({ onSignedIn, isOver }: SignInProps) {
  const [token, setToken] = useState('')
  const sending = useSending()
  const send = (): void =>
    sending.send(async () => {
      const who = await signIn(token.trim())
      setToken('')
      onSignedIn(who)
    })
  return (
    <main class="narrow">
      <Title>Sign in</Title>
      {isOver && (
        <p role="alert">
          Your session is over: it has expired, its token was revoked, or it was ended elsewhere. Sign in to
          go on where you were.
        </p>
      )}
      <p>
        A token lets you in. Whoever owns the data folder makes one on the server with{' '}
        <code>cofferdam token create NAME --role owner</code>.
      </p>
      <p>
        An owner decides what is approved and what is merged, an operator starts tasks and stops their own,
        and a viewer looks.
      </p>
      <Form onSend={send}>
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autocomplete="current-password"
          placeholder="cfd_…"
          required
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <Problem text={sending.error} />
        <Send sending={sending} class="main">
          Sign in
        </Send>
      </Form>
    </main>
  )
}
