// What every driver needs: JSON lines in and out, documents that the test hands over in
// place of the web, and a lock on the way out.
//
// The first line is {"documents": {URL: JSON}}; each further line is a question, and is
// answered with one line.
import net from 'node:net';
import {readFileSync} from 'node:fs';

// stdout belongs to the answers; some peers write their complaints there.
console.log = console.error;

// Holds for fetch, http and https alike: all of them open a net.Socket.
net.Socket.prototype.connect = () => {
  throw new Error('this test may not open a socket');
};

const lines = readFileSync(0, 'utf8').split('\n').filter(line => line !== '');
const [{documents}, ...questions] = lines.map(line => JSON.parse(line));

// Where a peer looked in vain or not, in order; emptied by each answer.
const asked = [];

// Some peers freeze or annotate what they are given, so each gets a copy.
export function findDocument(url) {
  asked.push(url);
  return structuredClone(documents[url]);
}

export async function answerAll(answer) {
  for(const question of questions) {
    const found = await answer(question);
    const line = {...found, asked: asked.splice(0)};
    process.stdout.write(JSON.stringify(line) + '\n');
  }
}

// The messages of an error and of whatever it was made of.
export function reasons(error) {
  if(!error) {
    return [];
  }
  const parts = [...(error.errors ?? []), error.cause].flatMap(reasons);
  return [`${error.name}: ${error.message}`, ...parts];
}
