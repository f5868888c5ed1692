import { useEffect, useRef, useState } from 'preact/hooks'
import type { Task, TaskEvent } from '../../domain/task.ts'
import { get } from '../api.ts'
import { persist } from '../persist.ts'
import { listen, type StreamState } from '../stream.ts'

/** What a box prints, as it comes. */
interface Printed {
  readonly step: number
  readonly box: string
  readonly text: string
}

export interface Watched {
  readonly task: Task | null
  readonly events: readonly TaskEvent[]
  /** Why it is not there. It is asked for again meanwhile, unless the server has answered that there is none. */
  readonly error: Error | null
  /** Asks for it at once. */
  readonly retry: () => void
  readonly state: StreamState
  /** Hears what boxes print. @returns what ends that */
  readonly onPrinted: (hear: (printed: Printed) => void) => () => void
  /** Takes a task as an answer has it, which may come before the stream tells of it. */
  readonly take: (task: Task) => void
}

/** While something runs its spending rises without an event, ms. */
const spendingMs = 3000

/** A task and what happens on it, from the first event on and then live. */
export function useTask(id: string): Watched {
  const [task, setTask] = useState<Task | null>(null)
  const [events, setEvents] = useState<readonly TaskEvent[]>([])
  const [error, setError] = useState<Error | null>(null)
  const [state, setState] = useState<StreamState>('connecting')
  const hearers = useRef(new Set<(printed: Printed) => void>())
  const latest = useRef<Task | null>(null)
  const retry = useRef((): void => undefined)

  const take = (next: Task): void => {
    if (latest.current !== null && latest.current.version > next.version) return
    latest.current = next
    setTask(next)
  }

  useEffect(() => {
    let seq = 0
    let stop = (): void => undefined
    let gone = false
    const begin = (): void => {
      stop = listen({
        address: () => `/v1/tasks/${id}/stream?after=${seq}`,
        on: {
          event: (data) => {
            const told = JSON.parse(data) as { readonly event: TaskEvent; readonly task: Task }
            if (told.event.seq <= seq) return
            seq = told.event.seq
            setEvents((before) => [...before, told.event])
            take(told.task)
          },
          output: (data) => {
            const printed = JSON.parse(data) as Printed
            for (const hear of hearers.current) hear(printed)
          },
        },
        state(next) {
          setState(next)
          if (next === 'over') follow()
        },
        isOver: () => isFinal(latest.current, seq),
      })
    }
    // What is final for the loop may still be decided on by people: then its stream has more.
    const follow = (): void => {
      const again = (next: Task): void => {
        if (gone || next.id !== id || next.version <= seq) return
        stop()
        begin()
      }
      stop = listen({
        address: () => '/v1/changes',
        on: { task: (data) => again(JSON.parse(data) as Task) },
        state(next) {
          setState(next)
          // Nobody told of what happened before.
          if (next === 'live') get<Task>(`/v1/tasks/${id}`).then(again, () => undefined)
        },
      })
    }
    const load = async (): Promise<void> => {
      const found = await get<Task>(`/v1/tasks/${id}`)
      const before = await eventsOf(id)
      if (gone) return
      seq = before.at(-1)?.seq ?? 0
      setEvents(before)
      setError(null)
      take(found)
      begin()
    }
    const loading = persist(load, setError)
    retry.current = loading.again
    return () => {
      gone = true
      loading.end()
      stop()
    }
  }, [id])

  const runs = task !== null && (task.status === 'RUNNING' || task.status === 'VALIDATING')
  // Where nobody answers, what is asked would take each of the few connections that a browser opens.
  const isAsked = runs && state === 'live'
  useEffect(() => {
    if (!isAsked) return undefined
    const look = (): void => {
      get<Task>(`/v1/tasks/${id}`).then(take, () => undefined)
    }
    const timer = setInterval(look, spendingMs)
    return () => clearInterval(timer)
  }, [id, isAsked])

  const onPrinted: Watched['onPrinted'] = (hear) => {
    hearers.current.add(hear)
    return () => hearers.current.delete(hear)
  }
  return { task, events, error, retry: () => retry.current(), state, onPrinted, take }
}

async function eventsOf(id: string): Promise<readonly TaskEvent[]> {
  const all: TaskEvent[] = []
  for (;;) {
    const after = all.at(-1)?.seq ?? 0
    const { events } = await get<{ events: readonly TaskEvent[] }>(`/v1/tasks/${id}/events?after=${after}`)
    all.push(...events)
    if (events.length < 1000) return all
  }
}

const isFinal = (task: Task | null, seq: number): boolean =>
  task !== null && (task.status === 'APPLIED' || task.status === 'REJECTED') && seq >= task.version
