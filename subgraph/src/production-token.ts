/** What the token tells: who holds what was produced, and what was used up. */
import { Address, BigInt } from "@graphprotocol/graph-ts";
import { Retired, Transfer } from "../generated/ProductionToken/ProductionToken";
import { Retirement, TokenTransfer } from "../generated/schema";
import { fetchBeneficiary, fetchHolder, fetchProtocol } from "./fetch";
import { eventId, retirementId } from "./ids";

/** Mints come from the zero address, before the Settled that tells why; what is retired goes to it, before Retired. */
export function handleTokenTransfer(event: Transfer): void {
  const amount = event.params.value;
  const minted = event.params.from == Address.zero();
  const burned = event.params.to == Address.zero();
  if (!minted) {
    const from = fetchHolder(event.params.from);
    from.balance = from.balance.minus(amount);
    from.save();
  }
  if (!burned) {
    const to = fetchHolder(event.params.to);
    to.balance = to.balance.plus(amount);
    if (minted) to.minted = to.minted.plus(amount);
    to.save();
  }
  if (minted || burned) {
    addSupply(minted ? amount : amount.neg());
    return;
  }

  const transfer = new TokenTransfer(eventId(event));
  transfer.from = event.params.from;
  transfer.to = event.params.to;
  transfer.amount = amount;
  transfer.transferredAt = event.block.timestamp;
  transfer.block = event.block.number;
  transfer.transaction = event.transaction.hash;
  transfer.save();
}

function addSupply(amount: BigInt): void {
  const protocol = fetchProtocol();
  protocol.supply = protocol.supply.plus(amount);
  protocol.save();
}

export function handleRetired(event: Retired): void {
  const holder = fetchHolder(event.params.from);
  holder.retired = holder.retired.plus(event.params.amount);
  holder.save();

  const retirement = new Retirement(retirementId(event.params.serial));
  retirement.serial = event.params.serial;
  retirement.holder = holder.id;
  retirement.amount = event.params.amount;
  if (event.params.beneficiary != Address.zero()) {
    const beneficiary = fetchBeneficiary(event.params.beneficiary);
    beneficiary.retired = beneficiary.retired.plus(event.params.amount);
    beneficiary.save();
    retirement.beneficiary = beneficiary.id;
  }
  retirement.name = event.params.name;
  retirement.purpose = event.params.purpose;
  retirement.retiredAt = event.block.timestamp;
  retirement.block = event.block.number;
  retirement.transaction = event.transaction.hash;
  retirement.save();

  const protocol = fetchProtocol();
  protocol.retirementCount += 1;
  protocol.retired = protocol.retired.plus(event.params.amount);
  protocol.save();
}
