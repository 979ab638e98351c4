using System.Net;
using ClusterLlm.Protos.V1;
using ClusterLlm.ServiceDefaults.Security;
using Google.Protobuf;
using Grpc.Core;

namespace ClusterLlm.Coordinator.Security;

/// <summary>How machines get certificates.</summary>
internal sealed class EnrollmentGrpcService(Enrollments enrollments, SecurityState state, TimeProvider time) : EnrollmentService.EnrollmentServiceBase
{
    public override Task<GetAuthorityResponse> GetAuthority(GetAuthorityRequest request, ServerCallContext context) => Task.FromResult(new GetAuthorityResponse
    {
        Authority = ByteString.CopyFrom(state.Authority.Certificate.RawData),
        NowUnixMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
    });

    public override async Task<EnrollResponse> Enroll(EnrollRequest request, ServerCallContext context)
    {
        var remote = context.GetHttpContext().Connection.RemoteIpAddress;
        var enrollee = new Enrollee(request.NodeId, request.MachineId, IsThisMachine(remote));
        var attempt = new EnrollmentAttempt(
            request.TokenId, request.TokenSecret, enrollee, request.CertificateRequest.ToByteArray(), remote?.ToString() ?? "this process");
        var result = await enrollments.EnrollAsync(attempt, context.CancellationToken);
        return new EnrollResponse { Certificate = Certificate(result), ClusterId = state.Authority.ClusterId };
    }

    public override async Task<RenewResponse> Renew(RenewRequest request, ServerCallContext context) => new()
    {
        Certificate = Certificate(await enrollments.RenewAsync(context.Caller(), request.CertificateRequest.ToByteArray(), context.CancellationToken)),
    };

    private static ByteString Certificate(EnrollmentResult result) => result.Certificate is { } certificate
        ? ByteString.CopyFrom(certificate.RawData)
        : throw new RpcException(new Status(
            result.Refusal switch
            {
                EnrollmentRefusal.WrongToken => StatusCode.Unauthenticated,
                EnrollmentRefusal.TooManyAttempts => StatusCode.ResourceExhausted,
                EnrollmentRefusal.Conflict => StatusCode.AlreadyExists,
                _ => StatusCode.InvalidArgument,
            },
            result.Problem));

    private static bool IsThisMachine(IPAddress? remote) =>
        remote is null || IPAddress.IsLoopback(remote) || CoordinatorAddresses.OwnAddresses().Any(own => own.Equals(remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote));
}
