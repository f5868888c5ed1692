/** The way into the control plane from outside of it: to open it, or to do an errand that needs none that is open. */
export { buildImages } from './adapters.ts'
export { backUpData, diagnoseClosed, restoreData, setUpDiscord } from './errands.ts'
export { type Held, open, type Opened, type OpenOptions } from './open.ts'
