/** A handshake worker: the thread's own code. */
import tls from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';
import { native } from '../native.js';
import {
  type ChosenContext,
  type ContextOptions,
  type Defaults,
  MOST_REMEMBERED,
  type NamedContext,
  type Question,
  type Setup,
  type SharedSecrets,
  type ToThread,
} from './messages.js';
import { Outbox } from './outbox.js';
import { bufferOf } from './outcome.js';
import { errorOf, plainError } from './plain-error.js';
import { Task, type TaskHost } from './task.js';

type ConnectionListener = (this: object, stream: object) => void;
type Answer = (error: Error | null, value?: unknown) => void;

const port = parentPort!;
const outbox = new Outbox(port);
const tasks = new Map<number, Task>();
const answers = new Map<number, Answer>();
const chosen = new Map<number, tls.SecureContext | undefined>();
let lastQuestion = 0;

const { options, contexts, secrets, defaults, hasSniCallback, engine, priority } = workerData as Setup;
if (priority > 0) native.lowerPriority?.(priority);
takeDefaults(defaults);
const server = new tls.Server({
  ...options,
  ...secretsOf(secrets),
  // `this` is Node's TLSSocket, whose server is the view of one task.
  ...(hasSniCallback && {
    SNICallback(this: { server: { task: Task } }, name: string, callback: Answer): void {
      question(this.server.task, 'SNICallback', [name], callback);
    },
  }),
} as tls.TlsOptions);
for (const context of contexts) addContext(context);
// The one listener that tls.Server's constructor has added.
const handshakeOf = server.listeners('connection')[0] as ConnectionListener;

const host: TaskHost = {
  engine,
  listen(view, wire) {
    handshakeOf.call(Object.create(server, view), wire);
  },
  keylog({ id }, line) {
    outbox.tell({ kind: 'keylog', id, line: Uint8Array.from(line) });
  },
  question(task, event, args) {
    question(task, event, args.slice(0, -1), args.at(-1) as Answer);
  },
  failed({ id }, error, ssl) {
    const { servername = null, authorizationError } = (ssl ?? {}) as {
      servername?: string | false | null;
      authorizationError?: unknown;
    };
    outbox.tell({ kind: 'failed', id, error: plainError(error), servername, authorizationError });
  },
  done(task, ssl, handOver) {
    const { id } = task;
    forget(task);
    outbox.done(id, ssl, handOver);
  },
  released(task) {
    const { id } = task;
    forget(task);
    outbox.tell({ kind: 'released', id });
  },
};

port.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'start':
      for (const start of message.all) {
        const task = new Task(host, start);
        if (!task.isOver) tasks.set(task.id, task);
      }
      break;
    case 'abort':
      tasks.get(message.id)?.abort();
      break;
    case 'answer': {
      const answer = answers.get(message.question);
      answers.delete(message.question);
      if (message.error) answer?.(errorOf(message.error));
      else if (message.context) withContext(message.context, answer);
      else answer?.(null, message.value);
      break;
    }
    case 'secureContext':
      takeDefaults(message.defaults);
      server.setSecureContext({
        ...message.options,
        ...secretsOf(message.secrets),
      } as tls.SecureContextOptions);
      break;
    case 'addContext':
      takeDefaults(message.defaults);
      addContext(message.context);
      break;
    case 'ticketKeys':
      server.setTicketKeys(bufferOf(message.ticketKeys));
      break;
  }
});

function forget({ id, questions }: Task): void {
  tasks.delete(id);
  for (const number of questions) answers.delete(number);
}

function question(task: Task, event: Question, args: unknown[], answer: Answer): void {
  const number = ++lastQuestion;
  answers.set(number, (error, value) => {
    answer(error, value instanceof Uint8Array ? bufferOf(value) : value);
  });
  task.questions.push(number);
  outbox.tell({ kind: 'question', id: task.id, question: number, event, args });
}

// Also when nobody waits for the answer any more: the main thread will not send the options again.
function withContext({ number, options: given }: ChosenContext, answer: Answer | undefined): void {
  let failure: unknown;
  if (given !== undefined) {
    if (chosen.size >= MOST_REMEMBERED) chosen.clear();
    chosen.set(number, undefined);
    try {
      chosen.set(number, contextWith(given));
    } catch (error) {
      failure = error;
    }
  }
  const context = chosen.get(number);
  if (context !== undefined) answer?.(null, context);
  else answer?.((failure as Error) ?? new Error('the secure context could not be made in this thread'));
}

function addContext([servername, given]: NamedContext): void {
  server.addContext(servername, contextWith(given) as never);
}

function contextWith(given: ContextOptions): tls.SecureContext {
  return tls.createSecureContext(given as tls.SecureContextOptions);
}

function secretsOf({ ticketKeys, sessionIdContext }: SharedSecrets) {
  return { ticketKeys: bufferOf(ticketKeys), sessionIdContext };
}

function takeDefaults(given: Defaults): void {
  Object.assign(tls, given);
}
