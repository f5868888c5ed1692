import { inABox } from './suite.ts'

inABox('codex')
