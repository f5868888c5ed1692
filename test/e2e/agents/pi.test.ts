import { inABox } from './suite.ts'

inABox('pi')
