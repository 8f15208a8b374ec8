// @digitalbazaar/vc with eddsa-rdfc-2022 and bitstring status lists.
//
// {"verify": credential}   -> {accepted, reasons}
// {"issue": credential}    -> {credential}: signed by a new did:key, which is its issuer
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as didKey from '@digitalbazaar/did-method-key';
import * as vc from '@digitalbazaar/vc';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {answerAll, findDocument, reasons} from './offline.mjs';

const resolver = didKey.driver();
resolver.use({
  multibaseMultikeyHeader: 'z6Mk', fromMultibase: Ed25519Multikey.from
});

async function documentLoader(url) {
  const document = url.startsWith('did:key:') ?
    await resolver.get({url}) : findDocument(url);
  if(document === undefined) {
    throw new Error(`not handed over: ${url}`);
  }
  return {contextUrl: null, documentUrl: url, document};
}

async function verify(credential) {
  const result = await vc.verifyCredential({
    credential,
    suite: new DataIntegrityProof({cryptosuite}),
    documentLoader,
    checkStatus: credential.credentialStatus ? checkStatus : undefined
  });
  // "verified" means that the status could be read; what it says is for the caller.
  const set = (result.statusResult?.results ?? []).filter(entry => entry.status !== false);
  return {
    accepted: result.verified === true && set.length === 0,
    reasons: [
      ...[result.error, result.statusResult?.error].flatMap(reasons),
      ...set.map(entry => `status: ${entry.credentialStatus.statusPurpose}`)
    ]
  };
}

async function issue(credential) {
  const key = await Ed25519Multikey.generate();
  key.controller = `did:key:${key.publicKeyMultibase}`;
  key.id = `${key.controller}#${key.publicKeyMultibase}`;
  return {
    credential: await vc.issue({
      credential: {...credential, issuer: {...credential.issuer, id: key.controller}},
      suite: new DataIntegrityProof({signer: key.signer(), cryptosuite}),
      documentLoader
    })
  };
}

await answerAll(question =>
  question.verify ? verify(question.verify) : issue(question.issue));
