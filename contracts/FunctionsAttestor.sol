// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { FunctionsClient } from "@chainlink/contracts/src/v0.8/functions/v1_3_0/FunctionsClient.sol";
import { FunctionsRequest } from "@chainlink/contracts/src/v0.8/functions/v1_0_0/libraries/FunctionsRequest.sol";
import { IFunctionsSubscriptions } from "@chainlink/contracts/src/v0.8/functions/v1_0_0/interfaces/IFunctionsSubscriptions.sol";
import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { IFunctionsAttestor } from "./interfaces/IFunctionsAttestor.sol";
import { IWattWitness } from "./interfaces/IWattWitness.sol";

contract FunctionsAttestor is IFunctionsAttestor, FunctionsClient, AccessManaged {
    using FunctionsRequest for FunctionsRequest.Request;

    /* CONSTANTS */

    /// Requests that a source may make.
    uint256 private constant URL_LIMIT = 5;
    /// What the callback needs, with room: it stores one root.
    uint32 private constant CALLBACK_GAS = 150_000;

    /* STATE */

    /// @inheritdoc IFunctionsAttestor
    IWattWitness public immutable wattWitness;
    /// @inheritdoc IFunctionsAttestor
    bytes32 public immutable donId;
    /// @inheritdoc IFunctionsAttestor
    bytes32 public immutable sourceHash;

    address private immutable _source;

    /// @inheritdoc IFunctionsAttestor
    mapping(bytes32 requestId => bytes32 root) public pendingRoot;

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
        _source = _deploySource(source_);
    }

    /// Keeps the source as the code of a contract of its own, behind a STOP: a kilobyte read from there costs a
    /// hundredth of one sent with every request.
    function _deploySource(string memory source_) private returns (address deployed) {
        // PUSH4 length+1, DUP1, PUSH1 offset, PUSH0, CODECOPY, PUSH0, RETURN, then STOP and the source
        bytes memory code = abi.encodePacked(
            hex"63",
            uint32(bytes(source_).length + 1),
            hex"80600c5f395ff3",
            hex"00",
            source_
        );
        assembly ("memory-safe") {
            deployed := create(0, add(code, 32), mload(code))
        }
        assert(deployed != address(0));
    }

    /* ATTESTATION */

    /// @inheritdoc IFunctionsAttestor
    function request(
        bytes32 digest,
        bytes32 root,
        string[] calldata urls,
        uint64 subscriptionId
    ) external restricted returns (bytes32 requestId) {
        require(urls.length != 0 && urls.length <= URL_LIMIT, UrlCountInvalid(urls.length));
        (address attestor, ) = wattWitness.attestationOf(root);
        require(attestor == address(0), AlreadyAttested(root));
        require(
            IFunctionsSubscriptions(address(i_functionsRouter)).getSubscription(subscriptionId).owner == msg.sender,
            CallerNotSubscriptionOwner(msg.sender, subscriptionId)
        );

        requestId = _sendRequest(_arguments(digest, root, urls), subscriptionId, CALLBACK_GAS, donId);
        pendingRoot[requestId] = root;

        emit AttestationRequested(requestId, digest, root, subscriptionId);
    }

    function _arguments(bytes32 digest, bytes32 root, string[] calldata urls) private view returns (bytes memory) {
        bytes[] memory bytesArgs = new bytes[](2);
        (bytesArgs[0], bytesArgs[1]) = (abi.encodePacked(digest), abi.encodePacked(root));
        FunctionsRequest.Request memory functionsRequest;
        functionsRequest.initializeRequestForInlineJavaScript(source());
        functionsRequest.setArgs(urls);
        functionsRequest.setBytesArgs(bytesArgs);
        return functionsRequest.encodeCBOR();
    }

    /// The DON's answer. Whatever it is, the request is over; only the root that was asked for is attested.
    function _fulfillRequest(bytes32 requestId, bytes memory response, bytes memory err) internal override {
        bytes32 root = pendingRoot[requestId];
        delete pendingRoot[requestId];
        if (root != 0 && response.length == 32 && bytes32(response) == root) {
            wattWitness.attest(root);
            emit AttestationConfirmed(requestId, root);
        } else {
            emit AttestationRefused(requestId, root, string(err));
        }
    }

    /* VIEWS */

    /// @inheritdoc IFunctionsAttestor
    function source() public view returns (string memory) {
        bytes memory code = _source.code;
        assembly ("memory-safe") {
            // drops the STOP in front: the string begins one byte later and is one byte shorter
            let length := sub(mload(code), 1)
            code := add(code, 1)
            mstore(code, length)
        }
        return string(code);
    }
}
