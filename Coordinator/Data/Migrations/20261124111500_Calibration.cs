using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace ClusterLlm.Coordinator.Data.Migrations
{
    /// <inheritdoc />
    internal sealed partial class Calibration : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "Calibrations",
                columns: table => new
                {
                    NodeId = table.Column<string>(type: "TEXT", nullable: false),
                    Engine = table.Column<string>(type: "TEXT", nullable: false),
                    EngineVersion = table.Column<string>(type: "TEXT", nullable: false),
                    OperatingSystem = table.Column<string>(type: "TEXT", nullable: false),
                    BandwidthShare = table.Column<double>(type: "REAL", nullable: false),
                    LayerMilliseconds = table.Column<double>(type: "REAL", nullable: false),
                    MeasuredAtUnixMs = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Calibrations", x => new { x.NodeId, x.Engine });
                });

            migrationBuilder.CreateTable(
                name: "Links",
                columns: table => new
                {
                    FromNodeId = table.Column<string>(type: "TEXT", nullable: false),
                    ToNodeId = table.Column<string>(type: "TEXT", nullable: false),
                    RoundTripMilliseconds = table.Column<double>(type: "REAL", nullable: false),
                    BandwidthBytesPerSecond = table.Column<double>(type: "REAL", nullable: false),
                    MeasuredAtUnixMs = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Links", x => new { x.FromNodeId, x.ToNodeId });
                });

            migrationBuilder.CreateTable(
                name: "Speeds",
                columns: table => new
                {
                    DeploymentId = table.Column<string>(type: "TEXT", nullable: false),
                    TokensPerSecond = table.Column<double>(type: "REAL", nullable: false),
                    MeasuredAtUnixMs = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Speeds", x => x.DeploymentId);
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "Calibrations");

            migrationBuilder.DropTable(
                name: "Links");

            migrationBuilder.DropTable(
                name: "Speeds");
        }
    }
}
