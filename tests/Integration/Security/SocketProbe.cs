using System.Net;
using System.Net.Sockets;
using ClusterLlm.Protos.V1;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;

namespace ClusterLlm.Integration.Security;

/// <summary>Asks a socket everything that anybody can ask: in plain text and over TLS, pages and all gRPC methods, with neither certificate nor key.</summary>
internal static class SocketProbe
{
    private static readonly string[] Paths = ["/", "/alive", "/health", "/api/nodes", "/api/authority", "/api/tokens", "/api/keys", "/v1/models", "/docs/", "/openapi/v1.json"];

    private static readonly FileDescriptor[] Contract =
    [
        EnrollmentReflection.Descriptor, InferenceReflection.Descriptor, MembershipReflection.Descriptor, ModelsReflection.Descriptor,
        NodeReflection.Descriptor, ShardReflection.Descriptor, StageReflection.Descriptor, MlxTunnelReflection.Descriptor,
    ];

    /// <summary>Full names of the cluster's own gRPC methods.</summary>
    public static IReadOnlyList<string> ClusterMethods { get; } =
        [.. Contract.SelectMany(file => file.Services).SelectMany(service => service.Methods).Select(method => $"/{method.Service.FullName}/{method.Name}")];

    /// <summary>Everything that answers with more than a refusal.</summary>
    /// <param name="connections">Makes a handler whose connections reach <paramref name="socket"/>.</param>
    public static async Task<List<string>> AnswersAsync(Func<SocketsHttpHandler> connections, IPEndPoint socket, CancellationToken cancellationToken)
    {
        var answers = new List<string>();
        foreach (var scheme in new[] { "http", "https" })
        {
            using var http = new HttpClient(Anybody(connections)) { BaseAddress = new Uri($"{scheme}://{socket}"), Timeout = TimeSpan.FromSeconds(20) };
            foreach (var path in Paths)
            {
                if (await StatusAsync(http, path, cancellationToken) is HttpStatusCode.OK)
                {
                    answers.Add($"{scheme} {path}");
                }
            }
        }

        return [.. answers, .. await MethodsAsync(connections, socket, ClusterMethods, cancellationToken)];
    }

    /// <summary>Those of <paramref name="methods"/> that answer, in plain text or over TLS.</summary>
    public static async Task<List<string>> MethodsAsync(Func<SocketsHttpHandler> connections, IPEndPoint socket, IEnumerable<string> methods, CancellationToken cancellationToken)
    {
        var answers = new List<string>();
        foreach (var scheme in new[] { "http", "https" })
        {
            using var channel = GrpcChannel.ForAddress($"{scheme}://{socket}", new GrpcChannelOptions { HttpHandler = Anybody(connections), DisposeHttpClient = true });
            foreach (var method in methods)
            {
                if (await CallAsync(channel.CreateCallInvoker(), method, cancellationToken) == StatusCode.OK)
                {
                    answers.Add(method);
                }
            }
        }

        return answers;
    }

    private static async Task<HttpStatusCode?> StatusAsync(HttpClient http, string path, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
            return response.StatusCode;
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
        {
            return null;
        }
    }

    private static async Task<StatusCode> CallAsync(CallInvoker invoker, string fullName, CancellationToken cancellationToken)
    {
        var slash = fullName.LastIndexOf('/');
        var bytes = Marshallers.Create(static (byte[] value) => value, static value => value);
        var call = new Method<byte[], byte[]>(MethodType.ServerStreaming, fullName[1..slash], fullName[(slash + 1)..], bytes, bytes);
        using var stream = invoker.AsyncServerStreamingCall(call, null, new CallOptions(cancellationToken: cancellationToken), []);
        try
        {
            await stream.ResponseStream.MoveNext(cancellationToken);
            return StatusCode.OK;
        }
        catch (RpcException error)
        {
            return error.StatusCode;
        }
    }

    private static SocketsHttpHandler Anybody(Func<SocketsHttpHandler> connections)
    {
        var handler = connections();
        handler.UseProxy = false;
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null;
        return handler;
    }
}
