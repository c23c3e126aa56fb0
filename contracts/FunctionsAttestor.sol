// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { FunctionsClient } from "@chainlink/contracts/src/v0.8/functions/v1_3_0/FunctionsClient.sol";
import { FunctionsRequest } from "@chainlink/contracts/src/v0.8/functions/v1_0_0/libraries/FunctionsRequest.sol";
import { IFunctionsSubscriptions } from "@chainlink/contracts/src/v0.8/functions/v1_0_0/interfaces/IFunctionsSubscriptions.sol";
import { CBOR } from "@chainlink/contracts/src/v0.8/vendor/solidity-cborutils/v2.0.0/CBOR.sol";
import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { AuthorityUtils } from "@openzeppelin/contracts/access/manager/AuthorityUtils.sol";
import { Pausable } from "@openzeppelin/contracts/utils/Pausable.sol";
import { IFunctionsAttestor } from "./interfaces/IFunctionsAttestor.sol";
import { IWattWitness } from "./interfaces/IWattWitness.sol";

contract FunctionsAttestor is IFunctionsAttestor, FunctionsClient, AccessManaged, Pausable {
    using CBOR for CBOR.CBORBuffer;
    using FunctionsRequest for FunctionsRequest.Request;

    /* CONSTANTS */

    /// Requests that a source may make.
    uint256 private constant URL_LIMIT = 5;
    /// What the callback needs, with room: it stores one root.
    uint32 private constant CALLBACK_GAS = 150_000;
    /// How often an order is requested.
    uint8 private constant ATTEMPTS = 5;
    /// s after which an order is requested again: a request that nobody answers times out after five minutes.
    uint256 private constant RETRY_AFTER = 10 minutes;

    /* STATE */

    /// @inheritdoc IFunctionsAttestor
    IWattWitness public immutable wattWitness;
    /// @inheritdoc IFunctionsAttestor
    bytes32 public immutable donId;
    /// @inheritdoc IFunctionsAttestor
    bytes32 public immutable sourceHash;

    /// Holds, as its code, a STOP and the part of a request that is always the same, which ends with the source.
    address private immutable _template;
    /// Bytes before the source in there.
    uint256 private immutable _sourceOffset;

    /// @inheritdoc IFunctionsAttestor
    mapping(bytes32 requestId => bytes32 root) public pendingRoot;

    mapping(address operator => Order) private _orders;

    /* CONSTRUCTION */

    constructor(
        address authority,
        address router,
        IWattWitness wattWitness_,
        bytes32 donId_,
        string memory source_
    ) FunctionsClient(router) AccessManaged(authority) {
        wattWitness = wattWitness_;
        donId = donId_;
        sourceHash = keccak256(bytes(source_));

        FunctionsRequest.Request memory functionsRequest;
        functionsRequest.initializeRequestForInlineJavaScript(source_);
        bytes memory code = bytes.concat(hex"00", functionsRequest.encodeCBOR());
        _template = _deploy(code);
        _sourceOffset = code.length - bytes(source_).length;
    }

    /// A contract with this code, so that nobody sends it with every request.
    function _deploy(bytes memory code) private returns (address deployed) {
        // PUSH4 length, DUP1, PUSH1 12, PUSH0, CODECOPY, PUSH0, RETURN
        bytes memory initCode = abi.encodePacked(hex"63", uint32(code.length), hex"80600c5f395ff3", code);
        assembly ("memory-safe") {
            deployed := create(0, add(initCode, 32), mload(initCode))
        }
        assert(deployed != address(0));
    }

    /* ATTESTATION */

    /// @inheritdoc IFunctionsAttestor
    function pause() external restricted {
        _pause();
    }

    /// @inheritdoc IFunctionsAttestor
    function unpause() external restricted {
        _unpause();
    }

    /// @inheritdoc IFunctionsAttestor
    function request(
        bytes32 digest,
        bytes32 root,
        string[] calldata urls,
        uint64 subscriptionId
    ) external restricted whenNotPaused returns (bytes32 requestId) {
        _check(root, urls, subscriptionId);
        return _request(digest, root, urls, subscriptionId);
    }

    /// @inheritdoc IFunctionsAttestor
    function order(
        bytes32 digest,
        bytes32 root,
        string[] calldata urls,
        uint64 subscriptionId
    ) external restricted whenNotPaused {
        _check(root, urls, subscriptionId);
        _orders[msg.sender] = Order(digest, root, subscriptionId, 0, 0, urls);
        emit Ordered(msg.sender, digest, root, subscriptionId);
    }

    /// @notice Whether an operator's order is to be requested now.
    /// @param checkData abi.encode(operator)
    /// @return upkeepNeeded whether performUpkeep would ask the DON
    /// @return performData what to call it with
    function checkUpkeep(bytes calldata checkData) external view returns (bool upkeepNeeded, bytes memory performData) {
        return (_isDue(abi.decode(checkData, (address))), checkData);
    }

    /// @notice Requests an operator's order. Anyone may call it when it is due, and it checks again.
    /// @dev Reverts with OrderNotDue.
    /// @param performData abi.encode(operator)
    function performUpkeep(bytes calldata performData) external {
        address operator = abi.decode(performData, (address));
        require(_isDue(operator), OrderNotDue(operator));
        Order storage due = _orders[operator];
        due.attempts += 1;
        due.requestedAt = uint64(block.timestamp);
        _request(due.digest, due.root, due.urls, due.subscriptionId);
    }

    /// Not attested, not tried too often or just now; and its operator still may, and still pays.
    function _isDue(address operator) private view returns (bool) {
        Order storage due = _orders[operator];
        if (paused() || due.root == 0 || _isAttested(due.root)) return false;
        if (due.attempts == ATTEMPTS || block.timestamp < due.requestedAt + RETRY_AFTER) return false;
        (bool may, ) = AuthorityUtils.canCallWithDelay(authority(), operator, address(this), this.request.selector);
        return may && _ownsSubscription(operator, due.subscriptionId);
    }

    function _check(bytes32 root, string[] calldata urls, uint64 subscriptionId) private view {
        require(root != 0, RootZero());
        require(urls.length != 0 && urls.length <= URL_LIMIT, UrlCountInvalid(urls.length));
        require(!_isAttested(root), AlreadyAttested(root));
        require(_ownsSubscription(msg.sender, subscriptionId), CallerNotSubscriptionOwner(msg.sender, subscriptionId));
    }

    function _isAttested(bytes32 root) private view returns (bool) {
        (address attestor, ) = wattWitness.attestationOf(root);
        return attestor != address(0);
    }

    function _ownsSubscription(address operator, uint64 subscriptionId) private view returns (bool) {
        IFunctionsSubscriptions subscriptions = IFunctionsSubscriptions(address(i_functionsRouter));
        // the router reverts for one that was cancelled, or never was
        try subscriptions.getSubscription(subscriptionId) returns (
            IFunctionsSubscriptions.Subscription memory subscription
        ) {
            return subscription.owner == operator;
        } catch {
            return false;
        }
    }

    function _request(
        bytes32 digest,
        bytes32 root,
        string[] memory urls,
        uint64 subscriptionId
    ) private returns (bytes32 requestId) {
        requestId = _sendRequest(_encode(digest, root, urls), subscriptionId, CALLBACK_GAS, donId);
        pendingRoot[requestId] = root;

        emit AttestationRequested(requestId, digest, root, subscriptionId);
    }

    /// The request in CBOR: what is stored, then `args` and `bytesArgs`, as FunctionsRequest writes them.
    function _encode(bytes32 digest, bytes32 root, string[] memory urls) private view returns (bytes memory) {
        CBOR.CBORBuffer memory buffer = CBOR.create(1024);
        buffer.writeString("args");
        buffer.startArray();
        for (uint256 i = 0; i < urls.length; ++i) buffer.writeString(urls[i]);
        buffer.endSequence();
        buffer.writeString("bytesArgs");
        buffer.startArray();
        buffer.writeBytes(abi.encodePacked(digest));
        buffer.writeBytes(abi.encodePacked(root));
        buffer.endSequence();
        return bytes.concat(_stored(1), buffer.data());
    }

    /// The DON's answer. Whatever it is, the request is over; only the root that was asked for is attested.
    function _fulfillRequest(bytes32 requestId, bytes memory response, bytes memory err) internal override {
        bytes32 root = pendingRoot[requestId];
        delete pendingRoot[requestId];
        if (root != 0 && err.length == 0 && response.length == 32 && bytes32(response) == root) {
            wattWitness.attest(root);
            emit AttestationConfirmed(requestId, root);
        } else {
            emit AttestationRefused(requestId, root, string(err));
        }
    }

    /* VIEWS */

    /// @inheritdoc IFunctionsAttestor
    function orderOf(address operator) external view returns (Order memory) {
        return _orders[operator];
    }

    /// @inheritdoc IFunctionsAttestor
    function source() external view returns (string memory) {
        return string(_stored(_sourceOffset));
    }

    function _stored(uint256 start) private view returns (bytes memory rest) {
        bytes memory code = _template.code;
        assembly ("memory-safe") {
            // the same memory, its length word moved to just before `start`
            let length := sub(mload(code), start)
            rest := add(code, start)
            mstore(rest, length)
        }
    }
}
