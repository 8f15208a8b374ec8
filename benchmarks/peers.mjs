// Issues and verifies the same documents with other implementations, and times them.
//
// First line of stdin: {"documents": {URL: JSON}}; second: {"unsigned": [credential],
// "signed": {cryptosuite: [credential as JSON text]}, "seconds": number}. Answer:
// {name: per second}.
//
// What is verified is parsed first, as it is on our side. `vc.verifyCredential` looks at
// the form of the credential, its dates, its proof, and whether the key's controller
// lets it assert. `jsigs.verify` looks at the proof and the key. Neither looks, under
// eddsa-jcs-2022, whether the contexts define what the credential says.
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as didKey from '@digitalbazaar/did-method-key';
import * as vc from '@digitalbazaar/vc';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import jsigs from 'jsonld-signatures';
import * as jcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import {cryptosuite as rdfc} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {answerAll, findDocument} from './offline.mjs';

globalThis.fetch = async request => {
  const found = findDocument(typeof request === 'string' ? request : request.url);
  return found === undefined ?
    new Response('', {status: 404}) : Response.json(found);
};
const {verifyCredential} = await import('@digitalcredentials/verifier-core');

const resolver = didKey.driver();
resolver.use({
  multibaseMultikeyHeader: 'z6Mk', fromMultibase: Ed25519Multikey.from
});
const cache = new Map();
async function documentLoader(url) {
  if(!cache.has(url)) {
    const document = url.startsWith('did:key:') ?
      await resolver.get({url}) : findDocument(url);
    if(document === undefined) {
      throw new Error(`not handed over: ${url}`);
    }
    cache.set(url, document);
  }
  return {contextUrl: null, documentUrl: url, document: cache.get(url)};
}

// The best of many rounds over all documents: the first ones measure compilation.
async function rate(documents, work, seconds) {
  const end = performance.now() + 1000 * seconds;
  let best = 0;
  do {
    const copies = documents.map(each => structuredClone(each));
    const start = process.cpuUsage();
    for(const copy of copies) {
      await work(copy);
    }
    const {user, system} = process.cpuUsage(start);
    best = Math.max(best, 1e6 * copies.length / (user + system));
  } while(performance.now() < end);
  return best;
}

function require(held, result) {
  if(!held) {
    throw new Error(JSON.stringify(result, Object.getOwnPropertyNames(result.error ?? {})));
  }
}

await answerAll(async ({unsigned, signed, seconds}) => {
  const key = await Ed25519Multikey.generate();
  key.controller = `did:key:${key.publicKeyMultibase}`;
  key.id = `${key.controller}#${key.publicKeyMultibase}`;
  const jcsSuites = {
    sign: jcs.createSignCryptosuite(), verify: jcs.createVerifyCryptosuite()
  };
  const found = {};
  for(const [name, suites] of Object.entries(
    {'eddsa-jcs-2022': jcsSuites, 'eddsa-rdfc-2022': {sign: rdfc, verify: rdfc}})) {
    found[`vc issue ${name}`] = await rate(unsigned, credential => vc.issue({
      credential: {...credential, issuer: {...credential.issuer, id: key.controller}},
      suite: new DataIntegrityProof({signer: key.signer(), cryptosuite: suites.sign}),
      documentLoader
    }), seconds);
    found[`vc verify ${name}`] = await rate(signed[name], async text => {
      const result = await vc.verifyCredential({
        credential: JSON.parse(text),
        suite: new DataIntegrityProof({cryptosuite: suites.verify}),
        documentLoader
      });
      require(result.verified, result);
    }, seconds);
    found[`jsigs proof ${name}`] = await rate(signed[name], async text => {
      const result = await jsigs.verify(JSON.parse(text), {
        suite: new DataIntegrityProof({cryptosuite: suites.verify}),
        purpose: new jsigs.purposes.AssertionProofPurpose(),
        documentLoader
      });
      require(result.verified, result);
    }, seconds);
  }
  found['verifier-core verify eddsa-rdfc-2022'] = await rate(
    signed['eddsa-rdfc-2022'], async text => {
      const credential = JSON.parse(text);
      const result = await verifyCredential({credential, knownDIDRegistries: []});
      const valid = (result.log ?? []).find(step => step.id === 'valid_signature');
      require(valid?.valid === true, result);
    }, seconds);
  return {found};
});
