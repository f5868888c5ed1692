import { inABox } from './suite.ts'

inABox('opencode')
