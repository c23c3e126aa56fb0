// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { PublicKey, Signature } from "../libraries/Statement.sol";
import { IHourlyCertificates } from "./IHourlyCertificates.sol";
import { IMeterRegistry } from "./IMeterRegistry.sol";
import { IParkDescriptor } from "./IParkDescriptor.sol";

/// @title A solar park: shares in what its meters produce
/// @notice ERC-20 with votes (ERC-5805) and permit (ERC-2612). A share is not divided: it has no decimals, and there are
/// fewer than 2^32. What comes in, the tokens of the park's meters and whatever else is paid in a kind of income that the
/// vote admitted, belongs to the shares that are there when it is counted, in equal parts and to the last unit; whoever
/// transfers shares keeps what came in before. Nobody can take it, neither the vote nor the manager nor who made the park.
///
/// The vote is the park's timelock, which does what its governor's proposals say; while one account alone has every share,
/// that account is the vote.
interface ISolarPark is IERC20 {
    /// @notice What a manager may do, where the vote lets him: the bits of his powers.
    enum Power {
        /// permit the key that a meter is rotated to
        PermitKey,
        /// say who may issue a meter's certificates
        NameIssuer,
        /// cancel what the registrar proposed for a meter
        CancelProposal,
        /// take a meter down, for good
        Decommission
    }

    /// @notice What a park is made with.
    struct Terms {
        string name;
        string symbol;
        /// SHA-256 of the document that says what a share is
        bytes32 document;
        /// who receives the first shares, and how many each
        address[] holders;
        uint256[] shares;
    }

    /// @notice What is around a park.
    struct Surroundings {
        IMeterRegistry registry;
        IHourlyCertificates certificates;
        IParkDescriptor descriptor;
        address timelock;
    }

    /// @notice What a holder has.
    struct Holding {
        uint256 shares;
        /// shares of all holders
        uint256 ofShares;
        /// shares whose votes are his to cast: his own and others', as far as they were delegated to him
        uint256 votes;
        /// whether he may send and receive shares: always, where the park asks nothing of its holders
        bool canSend;
        bool canReceive;
        /// shares of his that are frozen
        uint256 frozen;
    }

    /// @notice What a holder can claim of a kind of income.
    struct Claimable {
        IERC20 kind;
        /// units
        uint256 amount;
    }

    /// @notice A meter that the vote sells.
    struct Offer {
        /// who may buy it; zero = anyone
        address buyer;
        /// the kind of income that it is paid in; zero = it is not for sale
        IERC20 kind;
        /// units
        uint256 price;
    }

    /// @notice Emitted when income is counted: it is the shares' from now on.
    /// @param amount units
    event Received(IERC20 indexed kind, uint256 amount);
    /// @notice Emitted when a holder takes what is his.
    /// @param to who received it
    /// @param amount units
    event Claimed(IERC20 indexed kind, address indexed holder, address indexed to, uint256 amount);
    /// @notice Emitted when the park divides a kind of income; of the production token when the park begins.
    event KindAdded(IERC20 indexed kind);
    /// @notice Emitted when it is marked how much came in by now.
    /// @param received units, ever
    event Marked(IERC20 indexed kind, uint256 received);
    /// @notice Emitted when a meter is the park's by its vote.
    event MeterAdmitted(bytes32 indexed meter);
    /// @notice Emitted when a meter is for sale, or with a kind of zero no longer.
    event MeterOffered(bytes32 indexed meter, address indexed buyer, IERC20 indexed kind, uint256 price);
    /// @notice Emitted when a meter is sold.
    event MeterSold(bytes32 indexed meter, address indexed buyer, IERC20 indexed kind, uint256 price);
    /// @notice Emitted when a meter is no longer the park's, and was not sold: its registrar gave it to another owner.
    event MeterLost(bytes32 indexed meter);
    /// @notice Emitted when a meter may be rotated to a key, or to zero: to none.
    event KeyPermitted(bytes32 indexed meter, bytes32 indexed keyId);
    /// @notice Emitted when somebody else is manager, or may do something else.
    /// @param powers a bit for each Power
    event Appointed(address indexed manager, uint8 powers);
    /// @notice ERC-7572: emitted when contractURI says something else.
    event ContractURIUpdated();

    /// @notice Thrown when somebody does what only the vote may.
    error CallerNotVote(address caller);
    /// @notice Thrown when somebody does what only the vote may, or a manager whom it lets.
    error CallerNotManager(address caller, Power power);
    /// @notice Thrown when the first shares are not one amount for each holder.
    error HoldersInvalid(uint256 holders, uint256 amounts);
    /// @notice Thrown when there would be no share, or 2^32 and more.
    error SharesOutOfRange(uint256 shares);
    /// @notice Thrown when a token is no contract, the park itself, or divided already.
    error KindInvalid(IERC20 kind);
    /// @notice Thrown when a park would divide more than eight kinds of income.
    error TooManyKinds();
    /// @notice Thrown when the park does not divide this token.
    error KindUnknown(IERC20 kind);
    /// @notice Thrown when a transaction has too little gas left to ask a kind of income what came in.
    error GasTooLow();
    /// @notice Thrown when a meter was not admitted, or was sold.
    error MeterNotOfPark(bytes32 meter);
    /// @notice Thrown when a meter is admitted that the park has.
    error MeterAlreadyAdmitted(bytes32 meter);
    /// @notice Thrown when a meter is said to be lost that is the park's.
    error MeterNotLost(bytes32 meter, address owner);
    /// @notice Thrown when a meter is not for sale to the caller for this price in this kind.
    error NotOffered(bytes32 meter, IERC20 kind, uint256 price);
    /// @notice Thrown when a key was not permitted.
    error KeyNotPermitted(bytes32 meter, bytes32 keyId);
    /// @notice Thrown when something other than a meter of the registry is sent.
    error NotAMeter(address token);

    /// @notice Takes what is the caller's of these kinds of income, to an account he names. What is nothing is passed over.
    /// @dev Reverts with KindUnknown, and as the token's transfer does: then leave that kind out.
    function claim(IERC20[] calldata kinds, address to) external;

    /// @notice Counts what came in. Nobody needs it: whatever asks or changes what is somebody's counts first.
    function count() external;

    /// @notice Marks how much came in by now, for receivedBetween. Anyone may call it, as often as it is worth it to them.
    function mark() external;

    /// @notice More shares, for whoever is to have them; what came in before is not theirs. Only the vote.
    /// @dev Reverts with CallerNotVote or SharesOutOfRange.
    function issue(address to, uint256 shares) external;

    /// @notice One more kind of income: what is here and what comes in is divided from now on. Only the vote; for good.
    /// @dev Reverts, in this order: CallerNotVote, TooManyKinds, KindInvalid.
    function addKind(IERC20 kind) external;

    /// @notice Makes a meter the park's, from its owner, who approved that, or that is here already. Only the vote.
    /// @dev Reverts, in this order: CallerNotVote, MeterAlreadyAdmitted, and as ERC-721's transferFrom.
    function admit(bytes32 meter) external;

    /// @notice Puts a meter up for sale, to `buyer` or with zero to anyone; a kind of zero takes it back. Only the vote.
    /// @dev Reverts, in this order: CallerNotVote, MeterNotOfPark, KindUnknown.
    function offer(bytes32 meter, address buyer, IERC20 kind, uint256 price) external;

    /// @notice Buys a meter at the price that is asked for; what is paid is income of the shares. What its meter has
    /// measured and what is not settled yet comes with it.
    /// @dev Reverts, in this order: NotOffered, and as the token's transferFrom.
    function buy(bytes32 meter, IERC20 kind, uint256 price) external;

    /// @notice Takes a meter off the list that its registrar gave to another owner (IMeterRegistry.recoverOwner). Anyone.
    /// @dev Reverts with MeterNotOfPark or MeterNotLost.
    function strike(bytes32 meter) external;

    /// @notice The key that a meter may be rotated to. The vote, or a manager with PermitKey.
    /// @dev A device signs for a new key within the hour (IMeterRegistry.rotate), and no vote is that fast.
    /// Reverts with CallerNotManager or MeterNotOfPark.
    function permitKey(bytes32 meter, bytes32 keyId) external;

    /// @notice Rotates a meter to the permitted key, as IMeterRegistry.rotate does. Anyone: the keys say it themselves.
    /// @dev Reverts with KeyNotPermitted, and as IMeterRegistry.rotate.
    function rotate(
        bytes32 meter,
        IMeterRegistry.NewKey calldata newKey,
        PublicKey calldata key,
        Signature calldata rotation
    ) external;

    /// @notice Takes a meter down, for good. The vote, or a manager with Decommission.
    function decommission(bytes32 meter) external;

    /// @notice Cancels what the registrar proposed for a meter. The vote, or a manager with CancelProposal.
    function cancelProposal(bytes32 meter, IMeterRegistry.Change change) external;

    /// @notice Who may cancel proposals for a meter beside them (IMeterRegistry.setWatcher). Only the vote.
    function setWatcher(bytes32 meter, address watcher) external;

    /// @notice Who may issue certificates of a meter's hours (IHourlyCertificates.nameIssuer). The vote, or a manager with
    /// NameIssuer.
    function nameIssuer(bytes32 meter, address issuer) external;

    /// @notice Who manages the park, and what he may do; zero = nobody. Only the vote.
    /// @param powers a bit for each Power
    function appoint(address manager, uint8 powers) external;

    /// @notice SHA-256 of another document that says what a share is. Only the vote.
    function setDocument(bytes32 document) external;

    /// @notice Whether an account is the vote: the timelock, or who has every share, and had all of their votes in the second
    /// before.
    function isVote(address account) external view returns (bool);

    /// @notice What a holder has.
    function holdingOf(address holder) external view returns (Holding memory);

    /// @notice What a holder can claim, of each kind of income.
    function claimableOf(address holder) external view returns (Claimable[] memory);

    /// @notice What ever came in of a kind, what of it was claimed, and what is carried: the 2^-32 units that did not divide
    /// among the shares yet, less than one unit.
    function accountOf(IERC20 kind) external view returns (uint256 received, uint256 claimed, uint256 carried);

    /// @notice Units that came in between two times (Unix time, s): from the last mark at or before `from` to the last at or
    /// before `to`. So it is exact for times at which somebody marked.
    function receivedBetween(IERC20 kind, uint48 from, uint48 to) external view returns (uint256);

    /// @notice The kinds of income; the first is the production token.
    function kinds() external view returns (IERC20[] memory);

    /// @notice How many meters the park has.
    function meterCount() external view returns (uint256);

    /// @notice The park's meters: at most `count`, from the one at `start` on, in no order. What
    /// each is and makes: ILens.metersOfPark.
    function meters(uint256 start, uint256 count) external view returns (bytes32[] memory);

    /// @notice What a meter is for sale for.
    function offerOf(bytes32 meter) external view returns (Offer memory);

    /// @notice The key that a meter may be rotated to; zero = none.
    function permittedKeyOf(bytes32 meter) external view returns (bytes32);

    /// @notice Where the park's meters are registered.
    function registry() external view returns (IMeterRegistry);

    /// @notice Where certificates of its meters' hours are issued.
    function certificates() external view returns (IHourlyCertificates);

    /// @notice The timelock that does what the votes decide.
    function timelock() external view returns (address);

    /// @notice Who manages the park, and a bit for each Power that he has.
    function manager() external view returns (address);
    function powers() external view returns (uint8);

    /// @notice SHA-256 of the document that says what a share is.
    function document() external view returns (bytes32);

    /// @notice ERC-7572: what the park is, as a data URL of JSON.
    function contractURI() external view returns (string memory);
}
