/** What the attestor tells: what a Chainlink Functions DON was asked, and what it answered. */
import { ethereum, Value } from "@graphprotocol/graph-ts";
import {
  AttestationConfirmed,
  AttestationRefused,
  AttestationRequested,
  Ordered,
  Paused,
  Unpaused,
} from "../generated/FunctionsAttestor/FunctionsAttestor";
import { AttestationRequest, Order } from "../generated/schema";
import { fetchAttestation, fetchProtocol } from "./fetch";

export function handleRequestsPaused(_event: Paused): void {
  const protocol = fetchProtocol();
  protocol.requestsPaused = true;
  protocol.save();
}

export function handleRequestsUnpaused(_event: Unpaused): void {
  const protocol = fetchProtocol();
  protocol.requestsPaused = false;
  protocol.save();
}

export function handleOrdered(event: Ordered): void {
  const order = new Order(event.params.operator);
  order.digest = event.params.digest;
  order.root = event.params.root;
  order.subscription = event.params.subscriptionId;
  order.orderedAt = event.block.timestamp;
  order.transaction = event.transaction.hash;
  order.save();
}

export function handleAttestationRequested(event: AttestationRequested): void {
  const attestation = fetchAttestation(event.params.root);
  attestation.save();

  const request = new AttestationRequest(event.params.requestId);
  request.attestation = attestation.id;
  request.digest = event.params.digest;
  request.subscription = event.params.subscriptionId;
  request.attestor = event.address;
  request.answer = "PENDING";
  request.requestedAt = event.block.timestamp;
  request.transaction = event.transaction.hash;
  request.save();
}

/** Comes after Attested: the root is attested, and now has its batch. */
export function handleAttestationConfirmed(event: AttestationConfirmed): void {
  const request = AttestationRequest.load(event.params.requestId)!;
  request.answer = "CONFIRMED";
  answered(request, event);

  const attestation = fetchAttestation(event.params.root);
  attestation.digest = request.digest;
  attestation.save();
}

export function handleAttestationRefused(event: AttestationRefused): void {
  const request = AttestationRequest.load(event.params.requestId)!;
  request.answer = "REFUSED";
  // the generated setter takes an empty text for none
  request.set("reason", Value.fromString(event.params.reason));
  answered(request, event);
}

function answered(request: AttestationRequest, event: ethereum.Event): void {
  request.answeredAt = event.block.timestamp;
  request.answerTransaction = event.transaction.hash;
  request.save();
}
