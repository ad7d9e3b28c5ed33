// The HTTP interface, described by /openapi.json and shown by Swagger UI, which is in vendor/.

/* global SwaggerUIBundle */

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null, // nothing is asked of other hosts
});
