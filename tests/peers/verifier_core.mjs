// @digitalcredentials/verifier-core, the verifier inside the Learner Credential Wallet.
//
// {"verify": credential, "registries": [...]}
//   -> {accepted, reasons, steps: {step: valid}, schema: [{valid, errors}]}
import {answerAll, findDocument} from './offline.mjs';

// The one thing in its way: it fetches status lists, schemas and issuer registries.
globalThis.fetch = async request => {
  const found = findDocument(typeof request === 'string' ? request : request.url);
  return found === undefined ?
    new Response('', {status: 404}) : Response.json(found);
};

// After the line above: it may keep the fetch that it finds when it is loaded.
const {verifyCredential} = await import('@digitalcredentials/verifier-core');

await answerAll(async ({verify, registries}) => {
  const result = await verifyCredential({
    credential: verify, knownDIDRegistries: registries
  });
  const log = result.log ?? [];
  const [schema] = (result.additionalInformation ?? []).map(entry => entry.results);
  return {
    // The wallet's own rule: no error, and every step of the log true.
    accepted: !result.errors && log.length > 0 && log.every(step => step.valid === true),
    reasons: [...(result.errors ?? []), ...log.flatMap(step => step.error ?? [])]
      .map(error => `${error.name}: ${error.message}`),
    steps: Object.fromEntries(log.map(step => [step.id, step.valid ?? false])),
    schema: Array.isArray(schema) ? schema.map(entry => entry.result) : schema ?? null
  };
});
