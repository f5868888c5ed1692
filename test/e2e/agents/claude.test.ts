import { inABox } from './suite.ts'

inABox('claude')
